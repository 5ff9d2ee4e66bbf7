//! The later interfaces of a job: one object has all that its BITS knows.

use bits_api::Settings;
use bits_world::Profile;

use super::prelude::*;

cases![
    every_interface_leads_to_the_same_job,
    an_older_bits_has_no_later_interface,
    a_later_interface_has_the_methods_of_the_earlier_ones,
    http_options_are_those_of_the_same_job,
    an_interface_tells_which_bits_it_is,
];

type Query = fn(&dyn Job) -> Result<Guid, Hresult>;

/// Every interface of a job: its first version, and how the job behind it tells who it is.
const INTERFACES: [(Profile, Query); 7] = [
    (Profile::V1_5, |job| job.job2()?.id()),
    (Profile::V2_0, |job| job.job3()?.id()),
    (Profile::V2_5, |job| same_options(job, &*job.http_options()?)),
    (Profile::V3_0, |job| job.job4()?.id()),
    (Profile::V5_0, |job| job.job5()?.id()),
    (Profile::V10_2, |job| same_options(job, &*job.http_options2()?)),
    (Profile::V10_3, |job| same_options(job, &*job.http_options3()?)),
];

/// The identifier of `job`, if the options are its own: no other job shares the mark.
fn same_options(job: &dyn Job, options: &dyn Settings) -> Result<Guid, Hresult> {
    let id = job.id()?;
    job.set_description(Some(&id.to_string()))?;
    match options.get(bits_api::Setting::Description)? {
        bits_api::Value::Text(Some(text)) if text == id.to_string() => Ok(id),
        _ => Err(Hresult::E_UNEXPECTED),
    }
}

fn every_interface_leads_to_the_same_job(c: &mut Bench) -> Outcome {
    let job = c.new_job()?;
    c.returns("job2.interface.query", job.job2())?;
    c.returns("job3.interface.query", job.job3())?;
    c.returns("http_options.interface.query", job.http_options())?;
    let id = job.id()?;
    c.is("job4.interface.obtain", job.job4()?.id()?, id)?;
    c.is("job5.interface.obtain", job.job5()?.id()?, id)?;
    // From any of them to any other.
    for held in [job.job2()? as Arc<dyn Job>, job.job3()?, job.job4()?, job.job5()?] {
        let all: Vec<_> = INTERFACES.iter().map(|(_, query)| query(&*held)).collect::<Result<_, _>>()?;
        c.is(["job4.interface.obtain", "job5.interface.obtain", "service.qi_upgrade"], all, vec![id; 7])?;
    }
    Ok(())
}

fn an_older_bits_has_no_later_interface(c: &mut Bench) -> Outcome {
    c.play(Profile::V1_2)?;
    c.returns(["job2.interface.query_old_bits", "service.qi_old"], c.new_job()?.job2())?;
    c.start_over();
    c.play(Profile::V1_5)?;
    c.returns(["job3.interface.query_old_bits", "service.qi_old"], c.new_job()?.job3())?;
    c.start_over();
    c.play(Profile::V4_0)?;
    c.returns(["job5.interface.min_os", "service.qi_old"], c.new_job()?.job5())?;
    c.start_over();
    // A redistributable of 2.5 does not bring what came with 3.0.
    c.play(Profile::V2_5)?;
    let refused = c.new_job()?.job4().err();
    c.is("job4.interface.redist_contradiction", refused, Some(Hresult::E_NOINTERFACE))
}

fn a_later_interface_has_the_methods_of_the_earlier_ones(c: &mut Bench) -> Outcome {
    let job = c.new_job()?;
    let [two, three, four, five] = [job.job2()? as Arc<dyn Job>, job.job3()?, job.job4()?, job.job5()?];
    let named = |held: &Arc<dyn Job>, name: &str| -> Result<String, Stop> {
        held.set_display_name(Some(name))?;
        Ok(job.display_name()?)
    };
    c.is("job2.interface.inherits", named(&two, "by 2")?, "by 2".to_owned())?;
    c.is("job3.interface.inherits", named(&three, "by 3")?, "by 3".to_owned())?;
    c.is("job4.interface.inherits", named(&four, "by 4")?, "by 4".to_owned())?;
    c.is("job5.interface.inherits", named(&five, "by 5")?, "by 5".to_owned())?;
    // The last one has the methods of all between.
    let five = job.job5()?;
    five.set_file_acl_flags(bits_api::FileAclFlags::DACL)?;
    five.set_maximum_download_time(77)?;
    let through = (job.job3()?.file_acl_flags()?, job.job4()?.maximum_download_time()?);
    c.is("job5.interface.inherits", through, (bits_api::FileAclFlags::DACL, 77))?;
    job.job4()?.set_file_acl_flags(bits_api::FileAclFlags::SACL)?;
    c.is("job4.interface.inherits", job.job3()?.file_acl_flags()?, bits_api::FileAclFlags::SACL)
}

fn http_options_are_those_of_the_same_job(c: &mut Bench) -> Outcome {
    let (job, other) = (c.new_job()?, c.new_job()?);
    let flags = bits_api::SecurityFlags::IGNORE_UNKNOWN_CA;
    job.http_options()?.set_security_flags(flags)?;
    let read = |job: &Arc<dyn Job>| job.http_options3().and_then(|options| options.security_flags());
    c.is("http_options.interface.query", (read(&job)?, read(&other)?), (flags, bits_api::SecurityFlags::empty()))?;
    // The second and the third have the methods of those before.
    job.http_options2()?.set_security_flags(bits_api::SecurityFlags::ENABLE_CRL_CHECK)?;
    let got = job.http_options()?.security_flags()?;
    c.is("http_options2.interface.inherits", got, bits_api::SecurityFlags::ENABLE_CRL_CHECK)?;
    job.http_options3()?.set_http_method(Some("POST"))?;
    c.is("http_options3.interface.inherits", job.http_options2()?.http_method()?, "POST".to_owned())
}

fn an_interface_tells_which_bits_it_is(c: &mut Bench) -> Outcome {
    for profile in Profile::ALL {
        c.start_over();
        c.play(*profile)?;
        let job = c.new_job()?;
        let id = job.id()?;
        for (since, query) in INTERFACES {
            let expected = if *profile >= since { Ok(id) } else { Err(Hresult::E_NOINTERFACE) };
            let got = query(&*job);
            c.holds(
                "version.detect",
                "an interface is there exactly from the version on that brought it",
                got == expected,
            )?;
            c.holds("service.qi_old", "an interface of a later version is refused", got == expected)?;
            let introduced = match since {
                Profile::V1_5 => "job2.interface.introduced",
                Profile::V2_5 => "http_options.interface.introduced",
                Profile::V10_2 => "http_options2.interface.introduced",
                Profile::V10_3 => "http_options3.interface.introduced",
                _ => continue,
            };
            c.holds(introduced, "the interface is there exactly from that version on", got == expected)?;
        }
    }
    Ok(())
}
