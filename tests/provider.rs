//! The line that chooses between real BITS and the emulator.

use bits_emulator::api::{EnumJobsFlags, JobState, JobType};
use bits_emulator::{Bits, Emulator, Provider};

#[test]
fn the_default_is_real_bits_on_windows_and_the_emulator_elsewhere() {
    let expected = if cfg!(windows) { Provider::Windows } else { Provider::Emulator };

    assert_eq!(Provider::default(), expected);
}

#[test]
fn the_emulator_of_a_program_has_a_queue_of_its_own() {
    let bits = Provider::Emulator.start().unwrap();
    let manager = bits.manager().unwrap();

    let job = manager.create_job(Some("update"), JobType::DOWNLOAD).unwrap().job;

    assert_eq!(job.state(), Ok(JobState::SUSPENDED));
    assert_eq!(manager.enum_jobs(EnumJobsFlags::empty()).unwrap().count(), Ok(1));
}

#[test]
fn a_test_hands_its_own_emulator_to_the_program() {
    let emulator = Emulator::builder().start().unwrap();
    let of_the_test = emulator.client("test").manager().unwrap();
    let bits = Bits::from(emulator);

    let created = bits.manager().unwrap().create_job(Some("update"), JobType::DOWNLOAD).unwrap();

    assert_eq!(of_the_test.job(created.id).unwrap().display_name().as_deref(), Ok("update"));
}

#[cfg(not(windows))]
#[test]
fn real_bits_is_not_to_be_had_off_windows() {
    let error = Provider::Windows.start().unwrap_err();

    assert_eq!(error.to_string(), "real BITS exists on Windows only");
}
