//! Several ranges in one request, and the answers in several parts that servers give.

use bits_api::{JobPropertyId, LENGTH_TO_EOF};
use bits_origin::{Content, Fault, GateAt, Muddle, Origin, Rule, Synthetic};

use super::http::asked;
use super::prelude::*;

cases![
    ranges_that_ascend_are_asked_for_in_one_request,
    the_headers_of_a_part_are_bounded,
    the_empty_lines_before_the_parts_are_bounded,
    an_answer_that_puts_ranges_together_is_an_error,
    a_server_of_one_range_at_a_time_is_asked_again,
    a_server_that_ignores_several_ranges_is_an_error,
    a_file_of_parts_that_changes_begins_with_its_first_part,
];

const SIZE: u64 = 10_000;

/// Two parts, far enough apart for any server to send them as two.
const PARTS: [(u64, u64); 2] = [(1_000, 500), (8_000, 1_000)];

fn bytes() -> Vec<u8> {
    Synthetic::new(SIZE, 1).bytes(0..SIZE)
}

/// A number of bytes, as one of a file in memory.
pub(super) fn place(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}

/// These parts of the bytes, one behind the other.
fn joined(bytes: &[u8], parts: &[(u64, u64)]) -> Vec<u8> {
    let part = |(first, length): &(u64, u64)| bytes.iter().skip(place(*first)).take(place(*length)).copied();
    parts.iter().flat_map(part).collect()
}

/// A suspended job for those parts of the origin's file.
pub(super) fn job_of(c: &Bench, origin: &Origin, parts: &[(u64, u64)]) -> Result<Arc<dyn Job>, Stop> {
    let job = c.new_job()?;
    let local = c.local("download.bin");
    job.job3()?.add_file_with_ranges(Some(&origin.url("/file")), Some(&local), &ranges(parts))?;
    Ok(job)
}

/// A suspended job that is asked for these parts of the origin's file on demand.
fn on_demand(c: &Bench, origin: &Origin, parts: &[(u64, u64)]) -> Result<Arc<dyn Job>, Stop> {
    let job = c.job_with(JobPropertyId::ON_DEMAND_MODE)?;
    job.add_file(Some(&origin.url("/file")), Some(&c.local("download.bin")))?;
    first_file(&job)?.file6()?.request_file_ranges(&ranges(parts))?;
    Ok(job)
}

fn ranges_that_ascend_are_asked_for_in_one_request(c: &mut Bench) -> Outcome {
    for priority in [JobPriority::FOREGROUND, JobPriority::NORMAL] {
        c.start_over();
        let origin = c.origin()?;
        origin.put("/file", Content::bytes(bytes()));
        let parts = [(24, 17), (111, 9), (120, 80), (9_000, LENGTH_TO_EOF), (83, 7), (5_000, 1)];
        let job = job_of(c, &origin, &parts)?;
        job.set_priority(priority)?;
        job.resume()?;
        c.wait(&job, JobState::TRANSFERRED, SOON)?;
        let expected = ["HEAD -", "GET bytes=24-40,111-199,9000-9999", "GET bytes=83-89,5000-5000"];
        c.is(
            ["job3.file_range.initial_offset", "job3.file_range.length", "job3.file_range.length_to_eof"],
            asked(&origin.journal()),
            expected.map(str::to_owned).to_vec(),
        )?;
        job.complete()?;
        c.holds(
            ["job3.add_file_with_ranges.local_layout", "job3.add_file_with_ranges.adjacent"],
            "the parts follow each other in the order given",
            c.downloaded()? == joined(&bytes(), &parts),
        )?;
    }
    Ok(())
}

/// The highest number up to which a server is accepted that does `muddle` to its parts, which were
/// asked for in either way; above it the job fails as from a server that is not understood.
fn most_accepted(c: &mut Bench, on_request: bool, tries: &[u64], muddle: impl Fn(u64) -> Muddle) -> Result<u64, Stop> {
    let mut most = 0;
    for number in tries {
        c.start_over();
        let origin = c.origin()?;
        origin.put("/file", Content::bytes(bytes()));
        c.follow(Rule::on("/file").method("GET").fault(Fault::Parts(muddle(*number))))?;
        let job = if on_request { on_demand(c, &origin, &PARTS)? } else { job_of(c, &origin, &PARTS)? };
        let all_there = if on_request { JobState::SUSPENDED } else { JobState::TRANSFERRED };
        job.resume()?;
        c.settle()?;
        match job.state()? {
            state if state == all_there => most = *number,
            JobState::ERROR => {
                let code = error_of(&job)?.1;
                if code != Hresult::BG_E_INVALID_SERVER_RESPONSE {
                    return failed(format!("{number} fails with {code}"));
                }
            }
            state => return failed(format!("{number} leads to {state}")),
        }
    }
    Ok(most)
}

fn the_headers_of_a_part_are_bounded(c: &mut Bench) -> Outcome {
    // Beside Content-Type and Content-Range, which the origin always sends.
    let header = |length: u64| Muddle::Header("X".to_owned(), "x".repeat(place(length) - "X: \r\n".len()));
    for (clause, on_request) in [("http.ranges.headers", false), ("job5.on_demand.range_req_headers", true)] {
        let most = most_accepted(c, on_request, &[20, 100, 179, 180, 181, 182, 300, 5_000], header)?;
        c.value(clause, most)?;
    }
    Ok(())
}

fn the_empty_lines_before_the_parts_are_bounded(c: &mut Bench) -> Outcome {
    let lines = |count: u64| Muddle::EmptyLines(u8::try_from(count).unwrap_or(u8::MAX));
    for (clause, on_request) in [("http.ranges.crlf", false), ("job5.on_demand.range_req_crlf", true)] {
        let most = most_accepted(c, on_request, &[0, 1, 2, 3, 4, 200], lines)?;
        c.value(clause, most)?;
    }
    Ok(())
}

fn an_answer_that_puts_ranges_together_is_an_error(c: &mut Bench) -> Outcome {
    for priority in [JobPriority::FOREGROUND, JobPriority::NORMAL] {
        c.start_over();
        let origin = c.origin()?;
        origin.put("/file", Content::bytes(bytes()));
        c.follow(Rule::on("/file").method("GET").fault(Fault::Parts(Muddle::Merged)))?;
        let job = job_of(c, &origin, &PARTS)?;
        job.set_priority(priority)?;
        job.resume()?;
        c.wait(&job, JobState::ERROR, SOON)?;
        c.returns("job3.add_file_with_ranges.err_server_merges", error_of(&job)?.1)?;
        c.is("job3.add_file_with_ranges.err_server_merges", job.progress()?.bytes_transferred, 0)?;
    }
    Ok(())
}

fn a_server_of_one_range_at_a_time_is_asked_again(c: &mut Bench) -> Outcome {
    let origin = c.origin()?;
    origin.put("/file", Content::bytes(bytes()));
    c.follow(Rule::on("/file").method("GET").fault(Fault::Parts(Muddle::FirstOnly)))?;
    let job = job_of(c, &origin, &PARTS)?;
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    job.complete()?;
    let expected = ["HEAD -", "GET bytes=1000-1499,8000-8999", "GET bytes=8000-8999"].map(str::to_owned);
    c.is("job3.add_file_with_ranges.local_layout", asked(&origin.journal()), expected.to_vec())?;
    let is_right = c.downloaded()? == joined(&bytes(), &PARTS);
    c.holds("job3.add_file_with_ranges.local_layout", "both parts are there", is_right)
}

fn a_server_that_ignores_several_ranges_is_an_error(c: &mut Bench) -> Outcome {
    for stripped in [Fault::IgnoreRange, Fault::Without("Content-Type".to_owned())] {
        c.start_over();
        let origin = c.origin()?;
        origin.put("/file", Content::bytes(bytes()));
        c.follow(Rule::on("/file").method("GET").fault(stripped))?;
        let job = job_of(c, &origin, &PARTS)?;
        job.set_priority(JobPriority::FOREGROUND)?;
        job.resume()?;
        c.wait(&job, JobState::ERROR, SOON)?;
        c.returns(["job3.add_file_with_ranges.err_no_range_support", "http.get_ranges"], error_of(&job)?.1)?;
    }
    Ok(())
}

fn a_file_of_parts_that_changes_begins_with_its_first_part(c: &mut Bench) -> Outcome {
    let stamp = FileTime::from_unix_seconds(1_700_000_000);
    for (size, later) in [(SIZE, DAY), (SIZE + 1, DAY), (SIZE + 1, Duration::ZERO)] {
        c.start_over();
        let origin = c.origin()?;
        origin.put("/file", Content::bytes(bytes()).last_modified(stamp));
        // In the second part, behind what stands before each of them.
        let gate = origin.gate_method("GET", "/file", GateAt::Byte(500 + 300));
        let job = job_of(c, &origin, &PARTS)?;
        job.resume()?;
        c.settle()?;
        let before = job.progress()?.bytes_transferred;
        c.holds(
            "job3.add_file_with_ranges.version_consistency",
            &format!("{before} bytes end in the second part"),
            (501..1_500).contains(&before),
        )?;
        job.suspend()?;
        c.settle()?;
        gate.open();
        let other = Synthetic::new(size, 2).bytes(0..size);
        origin.change("/file", Content::bytes(other.clone()).last_modified(stamp.plus(later)));
        job.resume()?;
        c.wait(&job, JobState::TRANSFERRED, SOON)?;
        job.complete()?;
        c.holds(
            "job3.add_file_with_ranges.version_consistency",
            "all parts are of the new version",
            c.downloaded()? == joined(&other, &PARTS),
        )?;
        let again = asked(&origin.journal()).split_off(3);
        let expected = ["HEAD -", "GET bytes=1000-1499,8000-8999"].map(str::to_owned);
        c.is("job3.add_file_with_ranges.version_consistency", again, expected.to_vec())?;
    }
    Ok(())
}
