//! A good answer that ends at each of its bytes.

use bits_api::{ErrorContext, Hresult, JobState};
use bits_hostile::house::{Ending, House};
use bits_origin::{Fault, Rule, Script, Step};
use bits_servers::{At, FILE, Server};

const PATH: &str = "/file";

/// A good answer to GET for the whole file, and to HEAD without its body.
const HEAD: &str = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\nLast-Modified: Wed, 01 Jan 2025 00:00:00 GMT\r\n\r\n";

/// Where jobs stand still whose server sends each beginning of `answer` to `method`, and then does
/// `last`; afterwards it behaves, and each file comes.
fn endings(at: At, method: &str, answer: &str, last: &Step) -> Vec<Ending> {
    let house = House::new();
    let server = Server::good().spoken_to(at);
    let cut = |length: usize| {
        let play = Fault::Play(vec![Step::Send(answer[..length].to_owned().into()), last.clone()]);
        house.origin.behave();
        house.origin.script(Script::new().rule(Rule::on(PATH).method(method).fault(play)));
        let job = house.job(&server, PATH);
        let ending = house.run(&job, PATH, server.patience());
        house.mend(&job, PATH, FILE);
        ending
    };
    (0..answer.len()).map(cut).collect()
}

fn transient(code: Hresult) -> Ending {
    (JobState::TRANSIENT_ERROR, Some((ErrorContext::REMOTE_FILE, code)))
}

#[test]
fn a_connection_that_ends_at_any_byte_is_a_lost_connection() {
    let whole = format!("{HEAD}{}", std::str::from_utf8(FILE).unwrap());
    let lost = transient(Hresult::ERROR_WINHTTP_CONNECTION_ERROR);
    for (at, last) in
        [(At::Http, Step::Close), (At::Http, Step::Reset), (At::Https, Step::Close), (At::Https, Step::Leave)]
    {
        for (method, answer) in [("HEAD", HEAD), ("GET", &whole)] {
            for (length, ending) in endings(at, method, answer, &last).into_iter().enumerate() {
                assert_eq!(ending, lost, "{at:?} {method} {last:?} after {:?}", &answer[..length]);
            }
        }
    }
}

#[test]
fn a_server_that_falls_silent_at_any_byte_is_given_up() {
    let whole = format!("{HEAD}{}", std::str::from_utf8(FILE).unwrap());
    for (method, answer) in [("HEAD", HEAD), ("GET", &whole)] {
        for (length, ending) in endings(At::Http, method, answer, &Step::Hang).into_iter().enumerate() {
            let silent = transient(Hresult::ERROR_WINHTTP_TIMEOUT);
            assert_eq!(ending, silent, "{method} after {:?}", &answer[..length]);
        }
    }
}
