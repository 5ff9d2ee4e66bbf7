//! Listing the files of a job.

use bits_api::EnumFiles;

use super::prelude::*;

cases![
    the_list_holds_the_files_in_their_order,
    a_job_without_files_gives_an_empty_list,
    the_list_is_a_snapshot_of_live_files,
    next_hands_out_what_is_left,
    next_one_at_a_time_ends_with_s_false,
    next_of_nothing_is_ok,
    skip_moves_past_files,
    skip_one_at_a_time_ends_with_s_false,
    reset_goes_back_to_the_first_file,
    a_clone_stands_where_its_original_stood_and_goes_its_own_way,
    the_count_does_not_depend_on_the_position,
    an_enumerator_has_all_its_methods,
];

/// A job with that many files, and an enumerator over them.
fn list_of(c: &Bench, count: usize) -> Result<(Arc<dyn Job>, Arc<EnumFiles>), Stop> {
    let job = c.new_job()?;
    for n in 0..count {
        let file = c.serve(&format!("{n}.bin"), 10)?;
        file.add_to(&job)?;
    }
    let list = job.enum_files()?;
    Ok((job, list))
}

/// The last parts of the URLs.
fn names(files: &EnumFiles) -> Result<Vec<String>, Stop> {
    files.next(u32::MAX)?.items.iter().map(|file| name_of(&**file)).collect()
}

fn name_of(file: &dyn File) -> Result<String, Stop> {
    Ok(file.remote_name()?.rsplit('/').next().unwrap_or_default().to_owned())
}

fn name(n: usize) -> String {
    format!("{n}.bin")
}

fn the_list_holds_the_files_in_their_order(c: &mut Bench) -> Outcome {
    let (job, _) = list_of(c, 3)?;
    let result = job.enum_files();
    c.returns("job.enum_files.ok", &result)?;
    let list = result?;
    c.is(["job.enum_files.ok", "enumfiles.count"], list.count()?, 3)?;
    c.is(["job.enum_files.order", "file.interface.obtain"], names(&*list)?, vec![name(0), name(1), name(2)])?;
    let (_, two) = list_of(c, 2)?;
    c.value("enumfiles.count", two.count()?)
}

fn a_job_without_files_gives_an_empty_list(c: &mut Bench) -> Outcome {
    let result = c.new_job()?.enum_files();
    c.returns("job.enum_files.empty", &result)?;
    c.is("job.enum_files.empty", result?.count()?, 0)
}

fn the_list_is_a_snapshot_of_live_files(c: &mut Bench) -> Outcome {
    let (job, list) = list_of(c, 1)?;
    let more = c.serve("more.bin", 10)?;
    more.add_to(&job)?;
    c.is(["job.enum_files.snapshot", "files.enum_snapshot"], (list.count()?, job.enum_files()?.count()?), (1, 2))?;
    let file = list.next(5)?.items.remove(0);
    let before = file.progress()?.bytes_transferred;
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    c.is(
        ["job.enum_files.live_properties", "files.enum_snapshot"],
        (before, file.progress()?.bytes_transferred),
        (0, 10),
    )
}

fn next_hands_out_what_is_left(c: &mut Bench) -> Outcome {
    let (_, list) = list_of(c, 3)?;
    let two = list.next(2);
    c.returns("enum_files.next.all", &two)?;
    c.is("enum_files.next.all", two?.items.len(), 2)?;
    let rest = list.next(2);
    c.returns("enum_files.next.fewer", &rest)?;
    c.is("enum_files.next.fewer", rest?.items.len(), 1)?;
    c.returns("enum_files.next.fewer", list.next(1))?;
    list.reset()?;
    let all = list.next(3);
    c.returns("enumfiles.next.all", &all)?;
    c.is("enumfiles.next.all", all?.items.len(), 3)
}

fn next_one_at_a_time_ends_with_s_false(c: &mut Bench) -> Outcome {
    let (_, list) = list_of(c, 2)?;
    let mut walk = Vec::new();
    let mut seen = Vec::new();
    let mut fetched = Vec::new();
    for _ in 0..3 {
        let next = list.next(1)?;
        walk.push(next.success.hresult());
        fetched.push(next.items.len());
        for file in next.items {
            seen.push(name_of(&*file)?);
        }
    }
    c.returns_in_turn("enumfiles.next.one-at-a-time", &walk)?;
    c.is("enumfiles.next.one-at-a-time", fetched, vec![1, 1, 0])?;
    c.is("enum_files.interface.start", seen, vec![name(0), name(1)])
}

fn next_of_nothing_is_ok(c: &mut Bench) -> Outcome {
    let (_, list) = list_of(c, 1)?;
    let none = list.next(0);
    c.returns("enum_files.next.celt_zero", &none)?;
    c.is("enum_files.next.celt_zero", none?.items.len(), 0)?;
    list.skip(1)?;
    c.returns("enum_files.next.celt_zero", list.next(0))
}

fn skip_moves_past_files(c: &mut Bench) -> Outcome {
    let (_, list) = list_of(c, 3)?;
    c.returns("enum_files.skip.all", list.skip(2))?;
    c.is(["enum_files.skip.all", "enum_files.skip.params"], names(&*list)?, vec![name(2)])?;
    list.reset()?;
    c.returns("enumfiles.skip.exact", list.skip(3))?;
    list.reset()?;
    c.returns(["enum_files.skip.fewer", "enumfiles.skip.beyond"], list.skip(4))?;
    c.is("enum_files.skip.fewer", list.next(5)?.items.len(), 0)
}

fn skip_one_at_a_time_ends_with_s_false(c: &mut Bench) -> Outcome {
    let (_, list) = list_of(c, 2)?;
    let walk = [list.skip(1)?, list.skip(1)?, list.skip(1)?].map(Success::hresult);
    c.returns_in_turn("enumfiles.skip.walk", &walk)
}

fn reset_goes_back_to_the_first_file(c: &mut Bench) -> Outcome {
    let (_, list) = list_of(c, 2)?;
    list.skip(2)?;
    c.returns(["enum_files.reset.ok", "enumfiles.reset"], list.reset())?;
    c.is("enum_files.reset.ok", names(&*list)?, vec![name(0), name(1)])?;
    list.reset()?;
    c.returns("enumfiles.reset", list.skip(2))
}

fn a_clone_stands_where_its_original_stood_and_goes_its_own_way(c: &mut Bench) -> Outcome {
    let (_, list) = list_of(c, 3)?;
    list.skip(1)?;
    let copy = list.clone_enumerator();
    c.returns("enum_files.clone.ok", &copy)?;
    let copy = copy?;
    list.skip(2)?;
    c.is("enum_files.clone.ok", names(&*copy)?, vec![name(1), name(2)])
}

fn the_count_does_not_depend_on_the_position(c: &mut Bench) -> Outcome {
    let (_, list) = list_of(c, 3)?;
    c.returns("enum_files.get_count.ok", list.count())?;
    list.skip(2)?;
    c.is(["enum_files.get_count.ok", "enum_files.get_count.params"], list.count()?, 3)
}

fn an_enumerator_has_all_its_methods(c: &mut Bench) -> Outcome {
    let (_, list) = list_of(c, 2)?;
    let copy = list.clone_enumerator()?;
    let answers =
        vec![list.next(1)?.items.len(), list.count()? as usize, copy.next(2)?.items.len(), names(&*list)?.len()];
    list.reset()?;
    list.skip(1)?;
    c.is("enum_files.interface.methods", (answers, names(&*list)?.len()), (vec![1, 2, 2, 1], 1))
}
