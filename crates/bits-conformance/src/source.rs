//! Which clauses a case names, read from its source: so that a misspelt id fails before anything
//! runs, and a filter can choose cases by clause.

/// The methods whose first argument names clauses.
const CLAIMS: &[&str] = &[".returns(", ".returns_in_turn(", ".value(", ".is(", ".holds("];

/// The names in the claims of `source`, in their order.
pub(crate) fn claimed_names(source: &str) -> Vec<&str> {
    let mut starts = CLAIMS
        .iter()
        .flat_map(|method| source.match_indices(method).map(|(at, _)| at + method.len()))
        .collect::<Vec<_>>();
    starts.sort_unstable();
    starts.into_iter().flat_map(|at| literals(&source[at..])).collect()
}

/// The strings of `source`, in their order: where a claim takes its clauses from a table or a
/// parameter, they stand there.
pub(crate) fn strings(source: &str) -> impl Iterator<Item = &str> {
    source.lines().flat_map(|line| line.split('"').skip(1).step_by(2))
}

/// The body of the function `name`, as rustfmt lays it out.
pub(crate) fn body<'a>(source: &'a str, name: &str) -> &'a str {
    let start = source.find(&format!("fn {name}(")).unwrap_or(source.len());
    let rest = &source[start..];
    rest.find("\n}\n").map_or(rest, |end| &rest[..end])
}

/// The string that `text` begins with, or the strings of the array.
fn literals(text: &str) -> Vec<&str> {
    let text = text.trim_start();
    let (list, mut rest) = match text.strip_prefix('[') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let mut found = Vec::new();
    while let Some((literal, after)) = rest.trim_start().strip_prefix('"').and_then(|rest| rest.split_once('"')) {
        found.push(literal);
        rest = after.trim_start();
        match rest.strip_prefix(',') {
            Some(next) if list => rest = next,
            _ => break,
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = r#"
fn one(c: &mut Bench) -> Outcome {
    c.returns("a.b", job.resume())?;
    c.is(
        ["c.d", "e.f"],
        "not.this",
        x,
    )
}

fn two(c: &mut Bench) -> Outcome {
    let url = c.url("h.i");
    c.holds("g.h", "words", true)
}
"#;

    #[test]
    fn claims_name_clauses_alone_or_in_a_list() {
        assert_eq!(claimed_names(SOURCE), ["a.b", "c.d", "e.f", "g.h"]);
    }

    #[test]
    fn strings_are_found_wherever_they_stand() {
        assert_eq!(strings("[(\"a.b\", 1),\n  (\"c.d\", \"e.f\")]").collect::<Vec<_>>(), ["a.b", "c.d", "e.f"]);
    }

    #[test]
    fn a_body_ends_with_its_function() {
        assert_eq!(claimed_names(body(SOURCE, "one")), ["a.b", "c.d", "e.f"]);
        assert_eq!(claimed_names(body(SOURCE, "two")), ["g.h"]);
        assert_eq!(body(SOURCE, "three"), "");
    }
}
