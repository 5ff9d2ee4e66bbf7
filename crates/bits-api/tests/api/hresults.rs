//! The table of codes against `fixtures/spec/hresults.toml`.

use bits_api::hresult::{CODES, Class};
use bits_api::{Hresult, Success};
use serde::Deserialize;

#[derive(Deserialize)]
struct Table {
    hresult: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    name: String,
    code: u32,
    meaning: String,
    class: String,
}

fn rows() -> Vec<Row> {
    super::spec::<Table>("hresults.toml").hresult
}

#[test]
fn the_table_has_every_documented_code_in_order_and_no_other() {
    let ours: Vec<_> = CODES.iter().map(|code| code.name).collect();
    let rows = rows();
    let documented: Vec<_> = rows.iter().map(|row| row.name.as_str()).collect();

    assert_eq!(ours, documented);
}

#[test]
fn every_row_has_the_documented_code_class_and_text() {
    for (code, row) in CODES.iter().zip(rows()) {
        let class = match row.class.as_str() {
            "success" => Class::Success,
            "api" => Class::Api,
            "transient" => Class::Transient,
            "fatal" => Class::Fatal,
            other => panic!("{}: unknown class {other:?}", row.name),
        };
        assert_eq!((code.hresult.0, code.class, code.text), (row.code, class, row.meaning.as_str()), "{}", row.name);
    }
}

#[test]
fn a_constant_has_the_code_of_its_name() {
    for (constant, name) in [
        (Hresult::S_OK, "S_OK"),
        (Hresult::BG_S_PARTIAL_COMPLETE, "BG_S_PARTIAL_COMPLETE"),
        (Hresult::BG_E_INVALID_STATE, "BG_E_INVALID_STATE"),
        (Hresult::BG_E_HTTP_ERROR_404, "BG_E_HTTP_ERROR_404"),
        (Hresult::ERROR_DIRECTORY, "HRESULT_FROM_WIN32(ERROR_DIRECTORY)"),
        (Hresult::RPC_S_SERVER_UNAVAILABLE, "HRESULT_FROM_WIN32(RPC_S_SERVER_UNAVAILABLE)"),
    ] {
        let row = rows().into_iter().find(|row| row.name == name).expect(name);
        assert_eq!(constant.0, row.code, "{name}");
    }
}

#[test]
fn success_codes_are_those_that_are_no_failure() {
    for code in CODES {
        assert_eq!(code.class != Class::Success, code.hresult.is_failure(), "{}", code.name);
    }
}

#[test]
fn where_two_names_share_a_code_the_first_is_shown() {
    for code in CODES {
        let first = CODES.iter().find(|other| other.hresult == code.hresult).expect("itself");
        assert_eq!(code.hresult.entry().expect("a row").name, first.name);
    }
    assert_eq!(Hresult::ERROR_ACCESS_DENIED.to_string(), "0x80070005 E_ACCESSDENIED");
}

#[test]
fn every_http_status_becomes_its_own_code() {
    for status in 100..=599 {
        let code = Hresult::from_http_status(status);

        assert_eq!(code.0, 0x8019_0000 + u32::from(status), "clause errors.http_conversion");
        assert_eq!(code.http_status(), Some(status));
        assert_eq!(code.name().expect("a name"), format!("BG_E_HTTP_ERROR_{status}"));
        assert!(code.text().expect("a text").contains(&status.to_string()), "{status}");
    }
}

#[test]
fn codes_that_are_no_http_status_have_none() {
    for code in [0x8019_0000, 0x8019_0063, 0x8019_0258, 0x8019_4000, 0x8007_00C8, 0x0019_00C8, 200] {
        assert_eq!(Hresult(code).http_status(), None, "{code:#x}");
    }
}

#[test]
fn win32_errors_become_failures_of_their_facility() {
    assert_eq!(Hresult::from_win32(5), Hresult::E_ACCESSDENIED, "clause errors.win32_conversion");
    assert_eq!(Hresult::from_win32(0x010B), Hresult::ERROR_DIRECTORY);
    assert_eq!(Hresult::from_win32(u16::MAX).0, 0x8007_FFFF);
    assert_eq!(Hresult::from_win32(0), Hresult::S_OK);
}

#[test]
fn errors_of_disks_and_file_servers_have_their_names_and_no_text() {
    let protected = Hresult::from_win32(19);

    assert_eq!(protected.to_string(), "0x80070013 HRESULT_FROM_WIN32(ERROR_WRITE_PROTECT)");
    assert_eq!(protected.text(), None);
    assert_eq!(Hresult::from_win32(53).to_string(), "0x80070035 HRESULT_FROM_WIN32(ERROR_BAD_NETPATH)");
}

#[test]
fn an_unknown_code_shows_its_number_alone() {
    let unknown = Hresult(0x8020_FFFF);

    assert_eq!((unknown.name(), unknown.text()), (None, None));
    assert_eq!(unknown.to_string(), "0x8020FFFF");
}

#[test]
fn only_codes_that_are_no_failure_make_a_success() {
    assert_eq!(Success::new(Hresult::S_FALSE), Ok(Success::FALSE));
    assert_eq!(Success::new(Hresult(0x7FFF_FFFF)).map(Success::hresult), Ok(Hresult(0x7FFF_FFFF)));
    assert_eq!(Success::new(Hresult::BG_E_EMPTY), Err(Hresult::BG_E_EMPTY));
    assert_eq!(Success::new(Hresult(0x8000_0000)), Err(Hresult(0x8000_0000)));
}
