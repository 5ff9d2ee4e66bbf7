//! Choosing the certificate with which a job shows who it is.

use bits_api::{CertStoreLocation, ClientCertificate, HttpOptions};
use bits_world::{Certificate, Sid};

use super::prelude::*;

cases![
    a_certificate_is_chosen_by_its_hash,
    a_certificate_is_chosen_by_a_part_of_its_subject,
    the_first_certificate_for_clients_is_chosen,
    the_values_of_a_subject_are_neighbours_in_reverse_order,
    every_place_and_store_may_hold_the_certificate,
    a_store_may_be_another_computers,
    a_place_a_store_or_a_certificate_that_is_not_there_is_refused,
    a_store_that_is_closed_to_the_owner_is_refused,
    names_have_at_most_255_characters,
    what_is_missing_does_not_reach_the_service,
    certificates_are_chosen_and_removed_in_every_state_but_the_final_ones,
    every_type_of_job_may_have_a_certificate,
    certificates_are_for_the_owner_to_choose,
    a_new_owner_gets_no_certificate,
    a_certificate_is_removed_once,
    a_chosen_certificate_is_on_record,
];

const HERE: CertStoreLocation = CertStoreLocation::CURRENT_USER;
const MY: Option<&str> = Some("MY");
const FOUND: Result<Success, Hresult> = Ok(Success::OK);

/// A certificate without bytes, of organization, unit and name.
fn certificate(number: u8) -> Certificate {
    Certificate {
        hash: [number; 20],
        subject: "name3, name2, name1".to_owned(),
        for_clients: true,
        chain: Vec::new(),
        key: None,
    }
}

/// A job, and a certificate in the owner's personal store.
fn job_and_certificate(c: &Bench) -> Result<Arc<dyn HttpOptions>, Stop> {
    c.put_certificate(HERE, "MY", certificate(1))?;
    Ok(c.new_job()?.http_options()?)
}

fn by_id(options: &dyn HttpOptions, number: u8) -> Result<Success, Hresult> {
    options.set_client_certificate_by_id(HERE, MY, Some(&[number; 20]))
}

fn by_name(options: &dyn HttpOptions, subject: &str) -> Result<Success, Hresult> {
    options.set_client_certificate_by_name(HERE, MY, Some(subject))
}

/// The first byte of the hash of the chosen certificate.
fn chosen(options: &dyn HttpOptions) -> Result<u8, Hresult> {
    options.client_certificate().map(|certificate| certificate.hash[0])
}

fn a_certificate_is_chosen_by_its_hash(c: &mut Bench) -> Outcome {
    let mut hash = [0xFF; 20];
    hash.iter_mut().zip(0..).for_each(|(byte, number)| *byte = number);
    c.put_certificate(HERE, "MY", Certificate { hash, ..certificate(1) })?;
    c.put_certificate(HERE, "MY", certificate(2))?;
    let job = c.new_job()?;
    let options = job.http_options()?;
    drop(job);
    let set = options.set_client_certificate_by_id(HERE, MY, Some(&hash));
    c.returns(
        [
            "http_options.set_client_certificate_by_id.ok",
            "http_options.set_client_certificate_by_id.sample_current_user_my",
        ],
        set,
    )?;
    c.returns("http_options.get_client_certificate.ok", options.client_certificate().map(|_| Success::OK))?;
    let shown = ClientCertificate {
        location: HERE,
        store_name: "MY".to_owned(),
        hash,
        subject: "name3, name2, name1".to_owned(),
    };
    c.is(
        [
            "http_options.set_client_certificate_by_id.hash_raw_bytes",
            "http_options.set_client_certificate_by_id.options_pointer_independent",
            "http_options.set_client_certificate_by_id.interface_slip",
            "http_options.get_client_certificate.location",
            "http_options.get_client_certificate.store_name",
            "http_options.get_client_certificate.subject",
        ],
        options.client_certificate()?,
        shown,
    )?;
    let length = options.client_certificate()?.hash.len();
    c.value(["http_options.get_client_certificate.hash", "http_options.set_client_certificate_by_id.hash"], length)?;
    // Another one takes its place.
    c.is("http_options.set_client_certificate_by_id.ok", (by_id(&*options, 2), chosen(&*options)), (FOUND, Ok(2)))?;
    let other = c.new_job()?.http_options()?;
    let reused = (other.set_client_certificate_by_id(HERE, MY, Some(&hash)), chosen(&*other));
    c.is("http_options.set_client_certificate_by_id.identifier_reuse", reused, (FOUND, Ok(0)))
}

fn a_certificate_is_chosen_by_a_part_of_its_subject(c: &mut Bench) -> Outcome {
    let options = job_and_certificate(c)?;
    let whole = by_name(&*options, "name3, name2, name1");
    c.returns(
        [
            "http_options.set_client_certificate_by_name.ok",
            "http_options.set_client_certificate_by_name.sample_current_user_my",
        ],
        whole,
    )?;
    for part in ["name3, name2, name1", "name1", "ame2, na", "NAME3"] {
        options.remove_client_certificate()?;
        c.is(
            [
                "http_options.set_client_certificate_by_name.subject",
                "http_options.set_client_certificate_by_name.substring",
            ],
            (by_name(&*options, part), chosen(&*options)),
            (FOUND, Ok(1)),
        )?;
    }
    // The getter serves both ways of choosing.
    let hash = options.client_certificate()?.hash.len();
    c.value("http_options.get_client_certificate.hash", hash)?;
    c.put_certificate(HERE, "MY", Certificate { subject: String::new(), ..certificate(2) })?;
    by_id(&*options, 2)?;
    let subject = options.client_certificate()?.subject;
    c.is("http_options.get_client_certificate.subject_empty", subject, String::new())?;
    // Another one takes its place.
    let replaced = (by_name(&*options, "name1"), chosen(&*options));
    c.is("http_options.set_client_certificate_by_name.ok", replaced, (FOUND, Ok(1)))
}

fn the_first_certificate_for_clients_is_chosen(c: &mut Bench) -> Outcome {
    let options = c.new_job()?.http_options()?;
    let for_servers = Certificate { for_clients: false, ..certificate(1) };
    c.put_certificate(HERE, "MY", for_servers)?;
    let refused = by_name(&*options, "name1");
    c.is("http_options.set_client_certificate_by_name.client_auth_only", refused, Err(Hresult::CRYPT_E_NOT_FOUND))?;
    for number in [3, 2] {
        c.put_certificate(HERE, "MY", certificate(number))?;
    }
    let first = (by_name(&*options, "name1"), chosen(&*options));
    c.is(
        [
            "http_options.set_client_certificate_by_name.first_match",
            "http_options.set_client_certificate_by_name.client_auth_only",
        ],
        first,
        (FOUND, Ok(3)),
    )?;
    let exact = (by_id(&*options, 2), chosen(&*options));
    c.is("http_options.set_client_certificate_by_name.prefer_id", exact, (FOUND, Ok(2)))?;
    // The whole subject leaves the others behind.
    c.put_certificate(HERE, "MY", Certificate { subject: "name3, name2, name11".to_owned(), ..certificate(4) })?;
    let part = (by_name(&*options, "name2, name1"), chosen(&*options));
    let whole = (by_name(&*options, "name3, name2, name11"), chosen(&*options));
    let clause = "http_options.set_client_certificate_by_name.complete_subject";
    c.is(clause, (part, whole), ((FOUND, Ok(3)), (FOUND, Ok(4))))
}

fn the_values_of_a_subject_are_neighbours_in_reverse_order(c: &mut Bench) -> Outcome {
    let options = job_and_certificate(c)?;
    c.returns("http_options.set_client_certificate_by_name.subject.adjacent_only", by_name(&*options, "name3, name1"))?;
    let missing = Err(Hresult::CRYPT_E_NOT_FOUND);
    c.is("http_options.set_client_certificate_by_name.subject.no_oid", by_name(&*options, "CN=name1"), missing)?;
    c.is(
        "http_options.set_client_certificate_by_name.subject.reversed",
        by_name(&*options, "name1, name2, name3"),
        missing,
    )?;
    c.is(
        "http_options.set_client_certificate_by_name.subject.reversed",
        by_name(&*options, "name3, name2, name1"),
        FOUND,
    )?;
    c.is("http_options.set_client_certificate_by_name.subject.separator", by_name(&*options, "name3,name2"), missing)?;
    c.is("http_options.set_client_certificate_by_name.subject.separator", by_name(&*options, "name3, name2"), FOUND)?;
    c.is(
        "http_options.set_client_certificate_by_name.subject.not_empty",
        by_name(&*options, ""),
        Err(Hresult::E_INVALIDARG),
    )
}

fn every_place_and_store_may_hold_the_certificate(c: &mut Bench) -> Outcome {
    let places = [
        ("cert_store.current_user", CertStoreLocation::CURRENT_USER),
        ("cert_store.local_machine", CertStoreLocation::LOCAL_MACHINE),
        ("cert_store.current_service", CertStoreLocation::CURRENT_SERVICE),
        ("cert_store.services", CertStoreLocation::SERVICES),
        ("cert_store.users", CertStoreLocation::USERS),
        ("cert_store.current_user_group_policy", CertStoreLocation::CURRENT_USER_GROUP_POLICY),
        ("cert_store.local_machine_group_policy", CertStoreLocation::LOCAL_MACHINE_GROUP_POLICY),
        ("cert_store.local_machine_enterprise", CertStoreLocation::LOCAL_MACHINE_ENTERPRISE),
    ];
    let options = c.new_job()?.http_options()?;
    let others = new_job(&c.manager_as(c.other_token()?)?)?.http_options()?;
    for (clause, location) in places {
        c.value(clause, location.0)?;
        let by_either = |options: &dyn HttpOptions| {
            let by_id = options.set_client_certificate_by_id(location, MY, Some(&[1; 20]));
            (by_id, options.set_client_certificate_by_name(location, MY, Some("name1")))
        };
        let absent = by_either(&*options);
        c.put_certificate(location, "MY", certificate(1))?;
        let by_id = (options.set_client_certificate_by_id(location, MY, Some(&[1; 20])), chosen(&*options));
        let by_name = options.set_client_certificate_by_name(location, MY, Some("name1"));
        let there = options.client_certificate()?.location;
        let missing = Err(Hresult::CRYPT_E_NOT_FOUND);
        let expected = ((missing, missing), (FOUND, Ok(1)), FOUND, location);
        c.is(
            [
                clause,
                "http_options.set_client_certificate_by_id.store_location",
                "http_options.set_client_certificate_by_name.store_location",
            ],
            (absent, by_id, by_name, there),
            expected,
        )?;
        // Users have places of their own; what is the machine's is there for all of them.
        let is_the_users =
            [CertStoreLocation::CURRENT_USER, CertStoreLocation::CURRENT_USER_GROUP_POLICY].contains(&location);
        let found = if is_the_users { missing } else { FOUND };
        c.is(clause, by_either(&*others), (found, found))?;
    }
    let stores = [
        ("cert_store.name.ca", "CA"),
        ("cert_store.name.my", "MY"),
        ("cert_store.name.root", "ROOT"),
        ("cert_store.name.spc", "SPC"),
    ];
    for (clause, store) in stores {
        c.value(clause, store)?;
        // It is there though nobody has put anything into it.
        let set = || options.set_client_certificate_by_id(HERE, Some(store), Some(&[2; 20]));
        let absent = set();
        c.put_certificate(HERE, store, certificate(2))?;
        let there = (set(), options.client_certificate()?.store_name);
        c.is(clause, (absent, there), (Err(Hresult::CRYPT_E_NOT_FOUND), (FOUND, store.to_owned())))?;
    }
    for store in ["Example Updater", r"\\server\MY"] {
        let absent = options.set_client_certificate_by_id(HERE, Some(store), Some(&[1; 20]));
        c.is("cert_store.name.application", absent, Err(Hresult::ERROR_FILE_NOT_FOUND))?;
        c.put_certificate(HERE, store, certificate(1))?;
        let set = options.set_client_certificate_by_id(HERE, Some(store), Some(&[1; 20]));
        let by_name = options.set_client_certificate_by_name(HERE, Some(store), Some("name1"));
        c.is(
            [
                "cert_store.name.application",
                "http_options.set_client_certificate_by_id.store_name",
                "http_options.set_client_certificate_by_name.store_name",
            ],
            (set, by_name),
            (FOUND, FOUND),
        )?;
    }
    // A user by his SID, a service by its name.
    c.put_certificate(HERE, "Own", certificate(7))?;
    let own = format!(r"{}\own", c.own_sid()?);
    let by_sid = options.set_client_certificate_by_id(CertStoreLocation::USERS, Some(&own), Some(&[7; 20]));
    c.put_certificate(CertStoreLocation::CURRENT_SERVICE, "Own", certificate(8))?;
    let by_service =
        options.set_client_certificate_by_id(CertStoreLocation::SERVICES, Some(r"BITS\Own"), Some(&[8; 20]));
    c.is("cert_store.service_or_user_name", (by_sid, by_service), (FOUND, FOUND))
}

fn a_store_may_be_another_computers(c: &mut Bench) -> Outcome {
    let place = CertStoreLocation::LOCAL_MACHINE;
    let options = c.new_job()?.http_options()?;
    let set = |store: &str, number: u8| options.set_client_certificate_by_id(place, Some(store), Some(&[number; 20]));
    let absent = set(r"\\server\MY", 1);
    c.put_certificate(place, r"\\server\Own", certificate(1))?;
    let there = (set(r"\\SERVER\own", 1), options.client_certificate()?.store_name);
    // Once a computer is there, it has the stores that every computer has; this one has none of it.
    let others = (set(r"\\server\MY", 1), set(r"\\elsewhere\MY", 1), set("Own", 1), set("MY", 1));
    c.close_store(place, r"\\server\Own", &[Sid::of_name("somebody else")])?;
    let closed = set(r"\\server\Own", 1);
    let (no_store, not_in_it) = (Err(Hresult::ERROR_FILE_NOT_FOUND), Err(Hresult::CRYPT_E_NOT_FOUND));
    c.is("cert_store.name.remote", absent, no_store)?;
    c.is("cert_store.name.remote", there, (FOUND, r"\\SERVER\own".to_owned()))?;
    c.is("cert_store.name.remote", others, (not_in_it, no_store, no_store, not_in_it))?;
    c.is("cert_store.name.remote", closed, Err(Hresult::E_ACCESSDENIED))
}

fn a_place_a_store_or_a_certificate_that_is_not_there_is_refused(c: &mut Bench) -> Outcome {
    let options = job_and_certificate(c)?;
    by_id(&*options, 1)?;
    for undefined in [CertStoreLocation(8), CertStoreLocation(u32::MAX)] {
        c.returns(
            ["http_options.set_client_certificate_by_id.bad_location", "cert_store.undefined"],
            options.set_client_certificate_by_id(undefined, MY, Some(&[1; 20])),
        )?;
        c.returns(
            ["http_options.set_client_certificate_by_name.bad_location", "cert_store.undefined"],
            options.set_client_certificate_by_name(undefined, MY, Some("name1")),
        )?;
    }
    let store = Some("no such store");
    c.returns(
        "http_options.set_client_certificate_by_id.store_not_found",
        options.set_client_certificate_by_id(HERE, store, Some(&[1; 20])),
    )?;
    c.returns(
        "http_options.set_client_certificate_by_name.store_not_found",
        options.set_client_certificate_by_name(HERE, store, Some("name1")),
    )?;
    c.returns("http_options.set_client_certificate_by_id.cert_not_found", by_id(&*options, 2))?;
    c.returns("http_options.set_client_certificate_by_name.cert_not_found", by_name(&*options, "nobody"))?;
    c.is(
        [
            "http_options.set_client_certificate_by_id.cert_not_found",
            "http_options.set_client_certificate_by_name.cert_not_found",
        ],
        chosen(&*options),
        Ok(1),
    )
}

fn a_store_that_is_closed_to_the_owner_is_refused(c: &mut Bench) -> Outcome {
    let options = job_and_certificate(c)?;
    by_id(&*options, 1)?;
    c.close_store(HERE, "MY", &[Sid::of_name("somebody else")])?;
    c.returns("http_options.set_client_certificate_by_id.access_denied", by_id(&*options, 1))?;
    c.returns("http_options.set_client_certificate_by_name.access_denied", by_name(&*options, "name1"))?;
    let hidden = options.client_certificate().map(|_| Success::OK);
    c.returns("http_options.get_client_certificate.no_permission", hidden)
}

fn names_have_at_most_255_characters(c: &mut Bench) -> Outcome {
    let options = c.new_job()?.http_options()?;
    // In UTF-16 units: neither bytes nor letters.
    let pairs = "😀".repeat(127);
    let (longest, too_long) = (format!("{pairs}ü"), format!("{pairs}üü"));
    c.put_certificate(HERE, &longest, Certificate { subject: longest.clone(), ..certificate(1) })?;
    let id = |store: &str| options.set_client_certificate_by_id(HERE, Some(store), Some(&[1; 20]));
    let name = |store: &str, subject: &str| options.set_client_certificate_by_name(HERE, Some(store), Some(subject));
    c.is("http_options.set_client_certificate_by_id.store_name.limit", id(&longest), FOUND)?;
    c.is(
        [
            "http_options.set_client_certificate_by_name.store_name.limit",
            "http_options.set_client_certificate_by_name.subject.limit",
        ],
        name(&longest, &longest),
        FOUND,
    )?;
    let refused = Err(Hresult::BG_E_STRING_TOO_LONG);
    c.returns("http_options.set_client_certificate_by_id.too_long", id(&too_long))?;
    c.is("http_options.set_client_certificate_by_id.store_name.limit", id(&too_long), refused)?;
    for (clause, call) in [
        ("http_options.set_client_certificate_by_name.store_name.limit", name(&too_long, &longest)),
        ("http_options.set_client_certificate_by_name.subject.limit", name(&longest, &too_long)),
    ] {
        c.returns("http_options.set_client_certificate_by_name.too_long", call)?;
        c.is(clause, call, refused)?;
    }
    Ok(())
}

fn what_is_missing_does_not_reach_the_service(c: &mut Bench) -> Outcome {
    let options = job_and_certificate(c)?;
    for (store, hash) in [(None, Some(&[1; 20][..])), (MY, None), (None, None)] {
        let refused = options.set_client_certificate_by_id(HERE, store, hash);
        c.returns("http_options.set_client_certificate_by_id.null", refused)?;
    }
    for (store, subject) in [(None, Some("name1")), (MY, None), (None, None)] {
        let refused = options.set_client_certificate_by_name(HERE, store, subject);
        c.returns("http_options.set_client_certificate_by_name.null", refused)?;
    }
    for length in [0, 19, 21] {
        let refused = options.set_client_certificate_by_id(HERE, MY, Some(&vec![1; length]));
        c.returns("http_options.set_client_certificate_by_id.hash_size", refused)?;
    }
    Ok(())
}

fn certificates_are_chosen_and_removed_in_every_state_but_the_final_ones(c: &mut Bench) -> Outcome {
    for state in LIVING {
        c.start_over();
        let options = c.job_in(state)?.0.http_options()?;
        c.put_certificate(HERE, "MY", certificate(1))?;
        c.returns("http_options.set_client_certificate_by_id.ok", by_id(&*options, 1))?;
        c.returns("http_options.set_client_certificate_by_name.ok", by_name(&*options, "name1"))?;
        c.is("http_options.get_client_certificate.states", chosen(&*options), Ok(1))?;
        let removed = options.remove_client_certificate();
        c.returns("http_options.remove_client_certificate.ok", removed)?;
        c.is("http_options.remove_client_certificate.other_states", removed, FOUND)?;
    }
    for state in FINAL {
        c.start_over();
        let options = c.job_in(state)?.0.http_options()?;
        c.put_certificate(HERE, "MY", certificate(1))?;
        c.returns("http_options.set_client_certificate_by_id.invalid_state", by_id(&*options, 1))?;
        c.returns("http_options.set_client_certificate_by_name.invalid_state", by_name(&*options, "name1"))?;
        c.returns("http_options.remove_client_certificate.invalid_state", options.remove_client_certificate())?;
        let none = options.client_certificate().map(|_| Success::OK);
        c.is("http_options.get_client_certificate.states", none, Err(Hresult::RPC_X_BAD_STUB_DATA))?;
    }
    Ok(())
}

fn every_type_of_job_may_have_a_certificate(c: &mut Bench) -> Outcome {
    c.put_certificate(HERE, "MY", certificate(1))?;
    for job_type in [JobType::DOWNLOAD, JobType::UPLOAD, JobType::UPLOAD_REPLY] {
        let options = c.new_job_of(job_type)?.http_options()?;
        c.is("http_options.set_client_certificate_by_id.all_job_types", by_id(&*options, 1), FOUND)?;
        c.is("http_options.set_client_certificate_by_name.all_job_types", by_name(&*options, "name1"), FOUND)?;
    }
    Ok(())
}

fn certificates_are_for_the_owner_to_choose(c: &mut Bench) -> Outcome {
    let job = c.new_job()?;
    c.put_certificate(HERE, "MY", certificate(1))?;
    by_id(&*job.http_options()?, 1)?;
    let by_admin = c.administrator()?.job(job.id()?)?.http_options()?;
    let refused = Err(Hresult::E_ACCESSDENIED);
    c.is("http_options.set_client_certificate_by_id.owner_only", by_id(&*by_admin, 1), refused)?;
    c.is("http_options.set_client_certificate_by_name.owner_only", by_name(&*by_admin, "name1"), refused)?;
    c.is("http_options.remove_client_certificate.ownership", by_admin.remove_client_certificate(), refused)?;
    c.is("http_options.get_client_certificate.states", chosen(&*by_admin), Ok(1))
}

fn a_new_owner_gets_no_certificate(c: &mut Bench) -> Outcome {
    let job = c.new_job()?;
    c.put_certificate(HERE, "MY", certificate(1))?;
    by_id(&*job.http_options()?, 1)?;
    let taken = c.administrator()?.job(job.id()?)?;
    taken.take_ownership()?;
    let none = taken.http_options()?.client_certificate().map(|_| Success::OK);
    c.is(
        [
            "http_options.set_client_certificate_by_id.take_ownership",
            "http_options.set_client_certificate_by_name.take_ownership",
            "users.take_ownership.clears",
        ],
        none,
        Err(Hresult::RPC_X_BAD_STUB_DATA),
    )
}

fn a_certificate_is_removed_once(c: &mut Bench) -> Outcome {
    let options = job_and_certificate(c)?;
    let get = || options.client_certificate().map(|_| Success::OK);
    c.returns("http_options.get_client_certificate.none", get())?;
    c.returns("http_options.remove_client_certificate.none", options.remove_client_certificate())?;
    for set in [by_id(&*options, 1), by_name(&*options, "name1")] {
        set?;
        // However many were chosen, there is one.
        by_id(&*options, 1)?;
        let removed = options.remove_client_certificate();
        c.returns("http_options.remove_client_certificate.ok", removed)?;
        c.is("http_options.remove_client_certificate.no_params", removed, FOUND)?;
        c.returns("http_options.remove_client_certificate.then_get", get())?;
        c.returns("http_options.remove_client_certificate.repeat", options.remove_client_certificate())?;
    }
    Ok(())
}

fn a_chosen_certificate_is_on_record(c: &mut Bench) -> Outcome {
    c.queue_on_disk()?;
    let job = c.new_job()?;
    c.put_certificate(HERE, "MY", certificate(1))?;
    by_id(&*job.http_options()?, 1)?;
    let id = job.id()?;
    c.restart_service()?;
    c.is("http_options.set_client_certificate_by_id.ok", chosen(&*c.find(id)?.http_options()?), Ok(1))
}
