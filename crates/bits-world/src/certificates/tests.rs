use super::*;

const HERE: CertStoreLocation = CertStoreLocation::CURRENT_USER;

fn certificate(number: u8, subject: &str) -> Certificate {
    Certificate {
        hash: [number; 20],
        subject: subject.to_owned(),
        for_clients: true,
        chain: vec![Arc::from([number])],
        key: None,
    }
}

fn user(number: u32) -> Sid {
    Sid::of_account(number)
}

#[test]
fn each_user_has_stores_of_his_own_and_all_share_those_of_the_machine() {
    let mut stores = CertificateStores::default();
    stores.add(HERE, "My", &user(1), certificate(1, "one"));
    stores.add(CertStoreLocation::LOCAL_MACHINE, "app", &user(1), certificate(2, "two"));

    let by_sid = format!("{}\\my", user(1));
    let found = |location, name, number, hash: u8| {
        stores.open(location, name, &user(number)).map(|store| store.by_hash(&[hash; 20]).is_some())
    };
    assert_eq!(found(HERE, "MY", 1, 1), Ok(true));
    assert_eq!(found(HERE, "MY", 2, 1), Ok(false));
    assert_eq!(found(CertStoreLocation::USERS, &by_sid, 2, 1), Ok(true));
    assert_eq!(found(CertStoreLocation::LOCAL_MACHINE, "APP", 2, 2), Ok(true));
    assert_eq!(found(CertStoreLocation::LOCAL_MACHINE, "other", 1, 2), Err(StoreRefusal::Missing));
    assert_eq!(found(CertStoreLocation::LOCAL_MACHINE, r"\\pc\MY", 1, 2), Err(StoreRefusal::Missing));
}

#[test]
fn the_service_has_the_stores_that_carry_its_name() {
    let mut stores = CertificateStores::default();
    stores.add(CertStoreLocation::CURRENT_SERVICE, "MY", &user(1), certificate(1, "one"));

    let store = stores.open(CertStoreLocation::SERVICES, r"bits\my", &user(2)).unwrap();
    assert!(store.by_hash(&[1; 20]).is_some());
}

#[test]
fn a_store_with_a_list_opens_for_those_on_it() {
    let mut stores = CertificateStores::default();
    stores.allow_only(CertStoreLocation::LOCAL_MACHINE, "MY", &user(1), [user(1)]);

    assert!(stores.open(CertStoreLocation::LOCAL_MACHINE, "MY", &user(1)).is_ok());
    assert_eq!(stores.open(CertStoreLocation::LOCAL_MACHINE, "MY", &user(2)), Err(StoreRefusal::Denied));
}

#[test]
fn the_first_of_several_that_is_for_clients_is_found_by_a_part_of_its_subject() {
    let mut stores = CertificateStores::default();
    let for_servers = Certificate { for_clients: false, ..certificate(1, "Org, Unit, Name") };
    for one in [for_servers, certificate(3, "Org, Unit, Name"), certificate(2, "Org, Unit, Name")] {
        stores.add(HERE, "MY", &user(1), one);
    }
    let store = stores.open(HERE, "MY", &user(1)).unwrap();

    assert_eq!(store.by_subject("unit, name").unwrap().hash, [3; 20]);
    assert_eq!(store.by_subject("Org, Name"), None);
    assert!(stores.remove(HERE, "MY", &user(1), &[3; 20]));
    assert!(!stores.remove(HERE, "MY", &user(1), &[3; 20]));
    assert_eq!(stores.open(HERE, "MY", &user(1)).unwrap().by_subject("Name").unwrap().hash, [2; 20]);
}

#[test]
fn a_key_does_not_show_itself() {
    let key = PrivateKey::new(b"hunter2".to_vec());

    assert!(!format!("{key:?}").contains("104"));
    assert_eq!(key.expose(), b"hunter2");
}

#[test]
fn another_computer_has_system_stores_and_none_that_nobody_knows() {
    let mut stores = CertificateStores::default();
    stores.add_computer("pc");
    stores.add(CertStoreLocation::CURRENT_SERVICE, r"\\lab\app", &user(1), certificate(1, "one"));

    let open = |location, name| stores.open(location, name, &user(2)).map(|store| store.is_empty());
    assert_eq!(open(CertStoreLocation::LOCAL_MACHINE, r"\\PC\my"), Ok(true));
    assert_eq!(open(CertStoreLocation::SERVICES, r"\\lab\bits\App"), Ok(false));
    assert_eq!(open(CertStoreLocation::LOCAL_MACHINE, r"\\lab\root"), Ok(true));
    for (location, name) in [
        (CertStoreLocation::LOCAL_MACHINE, r"\\pc\app"),
        (CertStoreLocation::CURRENT_SERVICE, r"\\nowhere\MY"),
        (CertStoreLocation::LOCAL_MACHINE, r"\\MY"),
        (CertStoreLocation::LOCAL_MACHINE, r"\\"),
        (CertStoreLocation::LOCAL_MACHINE, r"BITS\MY"),
        (CertStoreLocation::LOCAL_MACHINE, ""),
    ] {
        assert_eq!(open(location, name), Err(StoreRefusal::Missing), "{name}");
    }
}

#[test]
fn a_user_trusts_whom_the_own_root_stores_and_those_of_the_machine_have() {
    let mut stores = CertificateStores::default();
    for (location, name, owner, number) in [
        (HERE, "ROOT", 1, 1),
        (HERE, "ROOT", 2, 2),
        (CertStoreLocation::LOCAL_MACHINE, "Root", 1, 3),
        (CertStoreLocation::LOCAL_MACHINE_ENTERPRISE, "CA", 1, 4),
        (CertStoreLocation::CURRENT_SERVICE, "ROOT", 1, 5),
        (HERE, "MY", 1, 6),
    ] {
        stores.add(location, name, &user(owner), certificate(number, "somebody"));
    }
    stores.allow_only(CertStoreLocation::LOCAL_MACHINE, "ROOT", &user(1), [user(1)]);

    let seen = |number| {
        let vouchers = stores.vouchers(&user(number));
        let first = |der: &[u8]| der[0];
        (vouchers.roots().map(first).collect::<Vec<_>>(), vouchers.links().map(first).collect::<Vec<_>>())
    };
    assert_eq!(seen(1), (vec![1, 3], vec![4]));
    assert_eq!(seen(2), (vec![2], vec![4]));
    assert!(!stores.vouchers(&user(1)).are_alone());
    assert_eq!(CertificateStores::default().vouchers(&user(1)), Vouchers::default());
}
