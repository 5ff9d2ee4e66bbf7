//! Notification classes: objects that BITS makes itself.

use std::sync::Mutex;

use bits_api::{JobPropertyId, JobPropertyValue};
use bits_service::Client;

use super::prelude::*;

cases![
    the_null_guid_stands_for_no_class,
    an_object_of_the_class_is_called_when_none_is_registered,
    a_registered_object_goes_first,
    object_and_class_are_independent,
    a_cleared_object_leaves_it_to_the_class,
    a_dead_object_leaves_it_to_the_class,
    one_object_serves_until_its_program_ends,
    a_registered_object_takes_the_place_of_a_made_one,
    the_last_class_wins,
    a_cleared_class_is_not_made_use_of,
    the_class_outlives_the_service,
    the_flags_choose_what_the_class_is_told,
    the_class_is_set_at_any_time,
    object_class_and_program_are_tried_in_this_order,
];

const CLASS: Guid = Guid::from_u128(0x1111_2222_3333_4444_5555_6666_7777_8888);
const OTHER: Guid = Guid::from_u128(0x9999_2222_3333_4444_5555_6666_7777_8888);
const ENDS: NotifyFlags = NotifyFlags::JOB_TRANSFERRED.union(NotifyFlags::JOB_ERROR);

/// A class whose objects all write into one recorder, and the programs in which they live.
struct Server {
    told: Arc<Recorder>,
    programs: Mutex<Vec<Client>>,
}

impl Server {
    fn register(c: &mut Bench, class: Guid) -> Result<Arc<Self>, Stop> {
        let server = Arc::new(Self { told: Recorder::new(), programs: Mutex::default() });
        let factory = Arc::clone(&server);
        c.register_class(class, move |program| {
            factory.programs().push(program);
            Ok(factory.told.object2())
        })?;
        Ok(server)
    }

    fn programs(&self) -> std::sync::MutexGuard<'_, Vec<Client>> {
        self.programs.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// How many objects were made.
    fn made(&self) -> usize {
        self.programs().len()
    }

    /// How many objects were made, and what they were told.
    fn seen(&self) -> (usize, Vec<&'static str>) {
        (self.made(), self.told.methods())
    }

    /// The programs in which the objects live end.
    fn end(&self) {
        self.programs().iter().for_each(Client::exit);
    }
}

fn set_class(job: &Arc<dyn Job>, class: Guid) -> Result<Success, Hresult> {
    job.job5()?.set_property(JobPropertyId::NOTIFICATION_CLSID, JobPropertyValue::ClsId(class))
}

fn class_of(job: &Arc<dyn Job>) -> Result<JobPropertyValue, Hresult> {
    job.job5()?.property(JobPropertyId::NOTIFICATION_CLSID)
}

/// A job with one served file and the class.
fn job_of_class(c: &Bench) -> Result<(Arc<dyn Job>, crate::bench::Remote), Stop> {
    let (job, file) = c.job_with_file(1_000)?;
    set_class(&job, CLASS)?;
    Ok((job, file))
}

fn the_null_guid_stands_for_no_class(c: &mut Bench) -> Outcome {
    let job = c.new_job()?;
    c.is("job5.notification_clsid.default", class_of(&job)?, JobPropertyValue::ClsId(Guid::nil()))?;
    set_class(&job, CLASS)?;
    c.is("job5.notification_clsid.type", class_of(&job)?, JobPropertyValue::ClsId(CLASS))?;
    set_class(&job, Guid::nil())?;
    c.is("job5.notification_clsid.clear", class_of(&job)?, JobPropertyValue::ClsId(Guid::nil()))
}

fn an_object_of_the_class_is_called_when_none_is_registered(c: &mut Bench) -> Outcome {
    let server = Server::register(c, CLASS)?;
    let (job, _) = job_of_class(c)?;
    job.resume()?;
    c.settle()?;
    c.is(
        ["job5.notification_clsid.fallback", "notify.clsid.property", "notify.both", "job5.id.notification_clsid"],
        server.seen(),
        (1, vec!["JobTransferred"]),
    )?;
    c.value("job5.id.notification_clsid", JobPropertyId::NOTIFICATION_CLSID)
}

fn a_registered_object_goes_first(c: &mut Bench) -> Outcome {
    let server = Server::register(c, CLASS)?;
    let (job, _) = c.job_with_file(1_000)?;
    let recorder = Recorder::new();
    let program = c.another_client()?;
    program.manager()?.job(job.id()?)?.set_notify_interface(Some(recorder.object()))?;
    set_class(&job, CLASS)?;
    job.resume()?;
    c.advance(DAY)?;
    c.is(
        [
            "job5.notification_clsid.object_first",
            "job.set_notify_interface.clsid_priority",
            "notify.clsid.object_first",
            "notify.order",
        ],
        (recorder.methods(), server.made()),
        (vec!["JobTransferred"], 0),
    )
}

fn object_and_class_are_independent(c: &mut Bench) -> Outcome {
    let server = Server::register(c, CLASS)?;
    let recorder = Recorder::new();
    let mut told = Vec::new();
    for (has_object, has_class) in [(false, false), (true, false), (false, true), (true, true)] {
        let (job, _) = c.job_with_file(1_000)?;
        if has_class {
            set_class(&job, CLASS)?;
        }
        if has_object {
            job.set_notify_interface(Some(recorder.object()))?;
        }
        let has = (job.notify_interface()?.is_some(), class_of(&job)? == JobPropertyValue::ClsId(CLASS));
        c.is("job5.notification_clsid.independent_of_object", has, (has_object, has_class))?;
        job.resume()?;
        c.settle()?;
        told.push((recorder.count("JobTransferred"), server.made()));
    }
    c.is(["job5.notification_clsid.independent_of_object", "notify.both"], told, vec![(0, 0), (1, 0), (1, 1), (2, 1)])
}

fn a_cleared_object_leaves_it_to_the_class(c: &mut Bench) -> Outcome {
    let server = Server::register(c, CLASS)?;
    let (job, _) = job_of_class(c)?;
    let recorder = Recorder::new();
    job.set_notify_interface(Some(recorder.object()))?;
    job.set_notify_interface(None)?;
    job.resume()?;
    c.settle()?;
    c.is(
        "job5.notification_clsid.object_cleared",
        (recorder.methods(), server.seen()),
        (vec![], (1, vec!["JobTransferred"])),
    )
}

fn a_dead_object_leaves_it_to_the_class(c: &mut Bench) -> Outcome {
    let server = Server::register(c, CLASS)?;
    let (job, _) = job_of_class(c)?;
    let recorder = Recorder::new();
    let program = c.another_client()?;
    program.manager()?.job(job.id()?)?.set_notify_interface(Some(recorder.object()))?;
    program.exit();
    job.resume()?;
    c.settle()?;
    c.is(
        [
            "job5.notification_clsid.fallback",
            "job.set_notify_interface.clsid_priority",
            "notify.order",
            "notify.clsid.property",
            "notify.clsid.object_first",
        ],
        (recorder.methods(), server.seen()),
        (vec![], (1, vec!["JobTransferred"])),
    )
}

/// Fails the job of one file and mends it again: two events.
fn fail_and_mend(c: &Bench, job: &Arc<dyn Job>, file: &crate::bench::Remote) -> Outcome {
    c.trouble(file, Trouble::NotFound)?;
    job.resume()?;
    c.wait(job, JobState::ERROR, SOON)?;
    c.settle()?;
    job.suspend()?;
    c.settle()
}

fn one_object_serves_until_its_program_ends(c: &mut Bench) -> Outcome {
    let server = Server::register(c, CLASS)?;
    let (job, file) = job_of_class(c)?;
    for _ in 0..3 {
        fail_and_mend(c, &job, &file)?;
    }
    let clauses =
        ["job5.notification_clsid.instance_reuse", "notify.clsid.property", "job.set_notify_interface.clsid_priority"];
    c.is(clauses, server.seen(), (1, vec!["JobError"; 3]))?;
    server.end();
    fail_and_mend(c, &job, &file)?;
    fail_and_mend(c, &job, &file)?;
    c.is(clauses, server.seen(), (2, vec!["JobError"; 5]))
}

fn a_registered_object_takes_the_place_of_a_made_one(c: &mut Bench) -> Outcome {
    let server = Server::register(c, CLASS)?;
    let (job, file) = job_of_class(c)?;
    fail_and_mend(c, &job, &file)?;
    let recorder = Recorder::new();
    job.set_notify_interface(Some(recorder.object()))?;
    fail_and_mend(c, &job, &file)?;
    c.is(
        ["job5.notification_clsid.instance_reuse", "job.set_notify_interface.clsid_priority"],
        (server.seen(), recorder.methods()),
        ((1, vec!["JobError"]), vec!["JobError"]),
    )
}

fn the_last_class_wins(c: &mut Bench) -> Outcome {
    let (first, last) = (Server::register(c, CLASS)?, Server::register(c, OTHER)?);
    let (job, file) = job_of_class(c)?;
    let other = c.another_client()?.manager()?.job(job.id()?)?;
    set_class(&other, OTHER)?;
    fail_and_mend(c, &job, &file)?;
    let clauses = ["job5.notification_clsid.last_wins", "notify.clsid.last_wins"];
    c.is(clauses, (first.made(), last.made()), (0, 1))?;
    set_class(&job, CLASS)?;
    fail_and_mend(c, &job, &file)?;
    c.is(clauses, (first.seen(), last.seen()), ((1, vec!["JobError"]), (1, vec!["JobError"])))
}

fn a_cleared_class_is_not_made_use_of(c: &mut Bench) -> Outcome {
    let server = Server::register(c, CLASS)?;
    let (job, file) = job_of_class(c)?;
    fail_and_mend(c, &job, &file)?;
    let used = server.seen();
    set_class(&job, Guid::nil())?;
    fail_and_mend(c, &job, &file)?;
    c.is(
        ["job5.notification_clsid.clear", "notify.clsid.clear"],
        (used, server.seen()),
        ((1, vec!["JobError"]), (1, vec!["JobError"])),
    )
}

fn the_class_outlives_the_service(c: &mut Bench) -> Outcome {
    let server = Server::register(c, CLASS)?;
    let (job, _) = job_of_class(c)?;
    let recorder = Recorder::new();
    job.set_notify_interface(Some(recorder.object()))?;
    let id = job.id()?;
    c.restart_service()?;
    let job = c.find(id)?;
    let clauses = ["job5.notification_clsid.persisted", "notify.clsid.persisted"];
    c.is(clauses, class_of(&job)?, JobPropertyValue::ClsId(CLASS))?;
    job.resume()?;
    c.settle()?;
    c.is(clauses, (recorder.methods(), server.seen()), (vec![], (1, vec!["JobTransferred"])))
}

fn the_flags_choose_what_the_class_is_told(c: &mut Bench) -> Outcome {
    let wanted = [
        (NotifyFlags::JOB_TRANSFERRED, vec!["JobTransferred"]),
        (NotifyFlags::JOB_ERROR, vec!["JobError"]),
        (NotifyFlags::FILE_TRANSFERRED, vec!["FileTransferred"]),
        (NotifyFlags::JOB_MODIFICATION, vec!["JobModification"]),
        (ENDS | NotifyFlags::DISABLE, vec![]),
    ];
    for (flags, methods) in wanted {
        c.start_over();
        let server = Server::register(c, CLASS)?;
        let (job, file) = c.job_with_file(1_000)?;
        job.set_notify_flags(flags)?;
        set_class(&job, CLASS)?;
        c.trouble(&file, Trouble::NotFound)?;
        job.resume()?;
        c.wait(&job, JobState::ERROR, SOON)?;
        c.advance(SECOND)?;
        job.resume()?;
        c.wait(&job, JobState::TRANSFERRED, SOON)?;
        c.advance(SECOND)?;
        let mut told = server.told.methods();
        told.dedup();
        c.is("job5.notification_clsid.flags_needed", told, methods)?;
    }
    Ok(())
}

fn the_class_is_set_at_any_time(c: &mut Bench) -> Outcome {
    for state in LIVING {
        c.start_over();
        let server = Server::register(c, CLASS)?;
        let (job, _) = c.job_in(state)?;
        let set = set_class(&job, CLASS);
        c.is("job5.notification_clsid.any_time", (job.state()?, set.is_ok()), (state, true))?;
        c.settle()?;
        let is_end = [JobState::ERROR, JobState::TRANSFERRED].contains(&state);
        c.is("job5.notification_clsid.any_time", server.made(), usize::from(is_end))?;
        set_class(&job, Guid::nil())?;
        c.is("job5.notification_clsid.any_time", class_of(&job)?, JobPropertyValue::ClsId(Guid::nil()))?;
    }
    Ok(())
}

fn object_class_and_program_are_tried_in_this_order(c: &mut Bench) -> Outcome {
    let order = Arc::new(Mutex::new(Vec::new()));
    let note = |who: &'static str| {
        let order = Arc::clone(&order);
        move || order.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(who)
    };
    let made = note("class");
    c.register_class(CLASS, move |_| {
        made();
        Err(Hresult::E_FAIL)
    })?;
    let (job, _) = job_of_class(c)?;
    job.job2()?.set_notify_cmd_line(Some(r"C:\told.exe"), None)?;
    let ran = note("program");
    c.programs()?.act(move |_| {
        ran();
        0
    });
    let program = c.another_client()?;
    program.manager()?.job(job.id()?)?.set_notify_interface(Some(Recorder::new().object()))?;
    program.exit();
    job.resume()?;
    c.advance(DAY)?;
    let order = order.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
    c.is("notify.order", order, vec!["class", "program"])
}
