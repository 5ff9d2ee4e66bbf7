//! Reading scripts: a line is a rule.

use std::time::Duration;

use bytes::Bytes;

use crate::fault::Fault;
use crate::parts::Muddle;
use crate::play::Step;
use crate::script::{Rule, Script, ScriptError};
use crate::synthetic::Synthetic;

/// The units of sizes, in bytes.
const SIZES: &[(&str, u64)] =
    &[("byte", 1), ("bytes", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40)];

/// The units of rates, in bytes per second.
const RATES: &[(&str, u64)] = &[("bytes/s", 1), ("KiB/s", 1 << 10), ("MiB/s", 1 << 20), ("GiB/s", 1 << 30)];

/// The units of times, in milliseconds.
const TIMES: &[(&str, u64)] = &[("ms", 1), ("s", 1000), ("min", 60_000), ("h", 3_600_000)];

pub(crate) fn parse(name: &str, text: &str) -> Result<Script, ScriptError> {
    let mut script = Script::new();
    for (index, text) in text.lines().enumerate() {
        let syntax =
            |Mistake { column, message }| ScriptError::Syntax { name: name.into(), line: index + 1, column, message };
        let mut line = Line::read(text).map_err(syntax)?;
        script = line.statement(script).map_err(syntax)?;
    }
    Ok(script)
}

/// What is wrong with a line.
struct Mistake {
    column: usize,
    message: String,
}

type Parsed<T> = Result<T, Mistake>;

struct Word {
    text: String,
    column: usize,
    quoted: bool,
}

/// The words of a line; colons and commas at the end of a word stand alone.
struct Line {
    words: Vec<Word>,
    next: usize,
    end: usize,
}

impl Line {
    fn read(text: &str) -> Parsed<Self> {
        let chars: Vec<char> = text.chars().collect();
        let mut words = Vec::new();
        let mut at = 0;
        while at < chars.len() && chars[at] != '#' {
            let start = at;
            if chars[at].is_whitespace() {
                at += 1;
            } else if chars[at] == '"' {
                let length = chars[at + 1..].iter().position(|c| *c == '"').ok_or_else(|| Mistake {
                    column: start + 1,
                    message: "this quotation mark has no partner".into(),
                })?;
                at += length + 2;
                let text = chars[start + 1..at - 1].iter().collect();
                words.push(Word { text, column: start + 1, quoted: true });
            } else {
                at += chars[at..].iter().take_while(|c| !c.is_whitespace() && **c != ',').count().max(1);
                let colon = at - start > 1 && chars[at - 1] == ':';
                let end = if colon { at - 1 } else { at };
                words.push(Word { text: chars[start..end].iter().collect(), column: start + 1, quoted: false });
                if colon {
                    words.push(Word { text: ":".into(), column: at, quoted: false });
                }
            }
        }
        Ok(Self { words, next: 0, end: chars.len() + 1 })
    }

    fn statement(&mut self, script: Script) -> Parsed<Script> {
        if self.words.is_empty() {
            return Ok(script);
        }
        let script = if self.take("seed") { script.seed(self.number()?) } else { script.rule(self.rule()?) };
        if self.next < self.words.len() { Err(self.expected("the end of the line")) } else { Ok(script) }
    }

    fn rule(&mut self) -> Parsed<Rule> {
        if let Some(rule) = self.connections()? {
            return self.for_connections(rule);
        }
        let which = self.which()?;
        let method = self.peek().filter(|word| is_method(word)).map(str::to_owned);
        if method.is_some() {
            self.next += 1;
        }
        let path = match self.peek() {
            Some(path) if path.starts_with('/') => path.to_owned(),
            Some(server) if method.as_deref() == Some("CONNECT") && !server.starts_with(':') => server.to_owned(),
            _ => return Err(self.expected("a path that begins with a slash")),
        };
        self.next += 1;
        let mut rule = Rule::on(&path);
        if let Some(method) = method {
            rule = rule.method(&method);
        }
        rule = chosen(rule, which.as_ref());
        self.expect(":")?;
        rule = self.faults(rule)?;
        self.limited(rule)
    }

    fn limited(&mut self, rule: Rule) -> Parsed<Rule> {
        match self.times()? {
            Some(times) => Ok(rule.times(times)),
            None => Ok(rule),
        }
    }

    /// Whether connections are meant, and which of them; requests are read from here on again.
    fn connections(&mut self) -> Parsed<Option<Rule>> {
        let is_of_connections =
            |word: &Word| !word.quoted && matches!(word.text.as_str(), "connection" | "connections");
        let colon = self.words.iter().position(|word| !word.quoted && word.text == ":");
        if !self.words[..colon.unwrap_or(self.words.len())].iter().any(is_of_connections) {
            return Ok(None);
        }
        if self.peek() == Some("connections") && self.words.get(self.next + 1).is_some_and(|word| word.text == ":") {
            self.next += 1;
            return Ok(Some(Rule::connections()));
        }
        let which = self.numbered(["connection", "connections"])?;
        Ok(Some(chosen(Rule::connections(), which.as_ref())))
    }

    fn for_connections(&mut self, mut rule: Rule) -> Parsed<Rule> {
        self.expect(":")?;
        loop {
            let fault = self.fault()?;
            if !fault.suits_connections() {
                return Err(self.wrong_last("this can only befall a request, not a connection"));
            }
            rule = rule.fault(fault);
            if !self.take(",") {
                return self.limited(rule);
            }
        }
    }

    /// Which of the requests, up to the `of` before the path; `None` for all.
    fn which(&mut self) -> Parsed<Option<Which>> {
        let which = self.numbered(["request", "requests"])?;
        if which.is_some() {
            self.expect("of")?;
        }
        Ok(which)
    }

    /// Which of the things with that name, one and several; `None` for all.
    fn numbered(&mut self, [one, several]: [&str; 2]) -> Parsed<Option<Which>> {
        let which = if self.take("first") {
            let count = self.count()?;
            self.expect_one_of(&[several, one])?;
            Which::Numbers(1, count)
        } else if self.take(one) {
            let number = self.count()?;
            Which::Numbers(number, number)
        } else if self.take(several) {
            if self.take("from") {
                Which::Numbers(self.count()?, u64::MAX)
            } else {
                let first = self.count()?;
                self.expect("to")?;
                let last = self.count()?;
                if last < first {
                    return Err(self.wrong_last(&format!("{several} {first} to {last} are none")));
                }
                Which::Numbers(first, last)
            }
        } else if let Some(percent) = self.peek().and_then(|word| word.strip_suffix('%')) {
            let percent = percent.parse().ok().filter(|percent| (1..=100).contains(percent));
            let percent = percent.ok_or_else(|| self.expected("a share from 1% to 100%"))?;
            self.next += 1;
            self.expect("of")?;
            self.expect(several)?;
            Which::Percent(percent)
        } else {
            return Ok(None);
        };
        Ok(Some(which))
    }

    fn faults(&mut self, mut rule: Rule) -> Parsed<Rule> {
        if self.take("behave") {
            return Ok(rule);
        }
        loop {
            rule = rule.fault(self.fault()?);
            if !self.take(",") {
                return Ok(rule);
            }
        }
    }

    fn fault(&mut self) -> Parsed<Fault> {
        let Some(word) = self.peek().map(str::to_owned) else { return Err(self.expected("a fault")) };
        self.next += 1;
        match word.as_str() {
            "status" => self.status(),
            "reset" => Ok(Fault::Reset(self.after()?)),
            "close" => Ok(Fault::Close(self.after()?)),
            "slow" => match self.quantity("a rate", RATES)? {
                0 => Err(self.wrong_last("a rate of 0 would never end; use a gate")),
                rate => Ok(Fault::Slow(rate)),
            },
            "delay" => Ok(Fault::Delay(self.duration()?)),
            "header" => Ok(Fault::Header(self.header_name()?, self.quoted()?)),
            "without" => Ok(Fault::Without(self.header_name()?)),
            "wrong" => self.expect("content-range").map(|()| Fault::WrongContentRange),
            "ignore" => self.expect("range").map(|()| Fault::IgnoreRange),
            "parts" => self.muddle().map(Fault::Parts),
            "http/1.0" => Ok(Fault::Http10),
            "chunked" => Ok(Fault::Chunked),
            "change" => self.change(),
            "garbage" => Ok(Fault::Garbage),
            "play" => self.play(),
            "endless" => match self.expect_one_of(&["headers", "interim"])? {
                0 => Ok(Fault::EndlessHeaders),
                _ => Ok(Fault::EndlessInterim),
            },
            _ => {
                self.next -= 1;
                Err(self.expected(
                    "a fault (status, reset, close, slow, delay, header, without, wrong content-range, \
                     ignore range, parts, http/1.0, chunked, change, garbage, endless, play, behave)",
                ))
            }
        }
    }

    fn status(&mut self) -> Parsed<Fault> {
        let code = self.peek().and_then(|word| word.parse().ok()).filter(|code| (200..=599).contains(code));
        let code = code.ok_or_else(|| self.expected("a status from 200 to 599"))?;
        self.next += 1;
        let retry_after = if self.take("retry-after") { Some(self.duration()?) } else { None };
        Ok(Fault::Status { code, retry_after })
    }

    fn change(&mut self) -> Parsed<Fault> {
        let after = self.after()?;
        self.expect("to")?;
        let length = self.size()?;
        let seed = if self.take("seed") { self.number()? } else { 0 };
        Ok(Fault::Change { after, to: Synthetic::new(length, seed) })
    }

    fn muddle(&mut self) -> Parsed<Muddle> {
        const MUDDLES: [&str; 7] = ["merged", "reversed", "repeated", "dropped", "first", "lines", "header"];
        Ok(match MUDDLES[self.expect_one_of(&MUDDLES)?] {
            "merged" => Muddle::Merged,
            "reversed" => Muddle::Reversed,
            "repeated" => Muddle::Repeated,
            "dropped" => Muddle::Dropped,
            "first" => Muddle::FirstOnly,
            "lines" => {
                let lines = u8::try_from(self.number()?);
                Muddle::EmptyLines(lines.map_err(|_| self.wrong_last("at most 255 lines"))?)
            }
            _ => Muddle::Header(self.header_name()?, self.quoted()?),
        })
    }

    fn play(&mut self) -> Parsed<Fault> {
        let mut steps = vec![self.step()?];
        while self.take("then") {
            steps.push(self.step()?);
        }
        Ok(Fault::Play(steps))
    }

    fn step(&mut self) -> Parsed<Step> {
        const STEPS: [&str; 9] = ["send", "below", "drip", "repeat", "wait", "hang", "close", "leave", "reset"];
        Ok(match STEPS[self.expect_one_of(&STEPS)?] {
            "send" => Step::Send(self.bytes()?),
            "below" => Step::Below(self.bytes()?),
            "drip" => {
                let bytes = self.bytes()?;
                self.expect("every")?;
                Step::Drip(bytes, self.duration()?)
            }
            "repeat" => {
                let bytes = self.bytes()?;
                let is_counted = self.peek().is_some_and(|word| word.parse::<u64>().is_ok());
                let times = if is_counted { Some(self.count()?) } else { None };
                if times.is_some() {
                    self.expect("times")?;
                }
                let every = if self.take("every") { Some(self.duration()?) } else { None };
                Step::Repeat { bytes, times, every }
            }
            "wait" => Step::Wait(self.duration()?),
            "hang" => Step::Hang,
            "close" => Step::Close,
            "leave" => Step::Leave,
            _ => Step::Reset,
        })
    }

    /// A quoted text with its escapes resolved.
    fn bytes(&mut self) -> Parsed<Bytes> {
        let text = self.quoted()?;
        if text.is_empty() {
            return Err(self.wrong_last("there is nothing to send"));
        }
        let bad = |escape: &str| format!("`\\{escape}` stands for no byte; \\r, \\n, \\t, \\0, \\\\ and \\x00 do");
        unescaped(&text).map_err(|escape| self.wrong_last(&bad(&escape)))
    }

    fn after(&mut self) -> Parsed<Option<u64>> {
        if self.take("after") { self.size().map(Some) } else { Ok(None) }
    }

    fn times(&mut self) -> Parsed<Option<u64>> {
        if self.take("once") {
            Ok(Some(1))
        } else if self.take("twice") {
            Ok(Some(2))
        } else if self.peek().is_some() {
            let times = self.count()?;
            self.expect("times")?;
            Ok(Some(times))
        } else {
            Ok(None)
        }
    }

    fn size(&mut self) -> Parsed<u64> {
        self.quantity("a size", SIZES)
    }

    fn duration(&mut self) -> Parsed<Duration> {
        self.quantity("a time", TIMES).map(Duration::from_millis)
    }

    /// A number and its unit.
    fn quantity(&mut self, what: &str, units: &[(&str, u64)]) -> Parsed<u64> {
        let number: u64 = self.peek().and_then(|word| word.parse().ok()).ok_or_else(|| self.expected(what))?;
        self.next += 1;
        let unit = self.peek().and_then(|word| units.iter().find(|(unit, _)| *unit == word));
        let names: Vec<_> = units.iter().map(|(unit, _)| *unit).collect();
        let (_, factor) = unit.ok_or_else(|| self.expected(&format!("a unit ({})", names.join(", "))))?;
        self.next += 1;
        number.checked_mul(*factor).ok_or_else(|| self.wrong_last(&format!("{what} as large as this does not fit")))
    }

    fn number(&mut self) -> Parsed<u64> {
        let number = self.peek().and_then(|word| word.parse().ok()).ok_or_else(|| self.expected("a number"))?;
        self.next += 1;
        Ok(number)
    }

    fn count(&mut self) -> Parsed<u64> {
        let count = self.peek().and_then(|word| word.parse().ok()).filter(|count| *count > 0);
        let count = count.ok_or_else(|| self.expected("a number from 1 on"))?;
        self.next += 1;
        Ok(count)
    }

    fn header_name(&mut self) -> Parsed<String> {
        let legal = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
        let name = self.peek().filter(|word| word.chars().all(legal)).map(str::to_owned);
        let name = name.ok_or_else(|| self.expected("the name of a header"))?;
        self.next += 1;
        Ok(name)
    }

    fn quoted(&mut self) -> Parsed<String> {
        match self.words.get(self.next) {
            Some(word) if word.quoted => {
                self.next += 1;
                Ok(word.text.clone())
            }
            _ => Err(self.expected("a value in quotation marks")),
        }
    }

    fn peek(&self) -> Option<&str> {
        self.words.get(self.next).filter(|word| !word.quoted).map(|word| word.text.as_str())
    }

    fn take(&mut self, word: &str) -> bool {
        let there = self.peek() == Some(word);
        self.next += usize::from(there);
        there
    }

    fn expect(&mut self, word: &str) -> Parsed<()> {
        self.expect_one_of(&[word]).map(|_| ())
    }

    fn expect_one_of(&mut self, words: &[&str]) -> Parsed<usize> {
        match words.iter().position(|word| self.take(word)) {
            Some(index) => Ok(index),
            None => Err(self.expected(&words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(" or "))),
        }
    }

    /// Something else stands where `what` was expected.
    fn expected(&self, what: &str) -> Mistake {
        match self.words.get(self.next) {
            Some(Word { text, column, .. }) => {
                Mistake { column: *column, message: format!("expected {what}, found `{text}`") }
            }
            None => Mistake { column: self.end, message: format!("expected {what}, found the end of the line") },
        }
    }

    /// The word that was read last makes no sense.
    fn wrong_last(&self, message: &str) -> Mistake {
        let column = self.next.checked_sub(1).map_or(1, |last| self.words[last].column);
        Mistake { column, message: message.into() }
    }
}

/// The rule for those alone.
fn chosen(rule: Rule, which: Option<&Which>) -> Rule {
    match which {
        Some(Which::Numbers(first, last)) => rule.numbers(*first..=*last),
        Some(Which::Percent(percent)) => rule.percent(*percent),
        None => rule,
    }
}

/// The bytes that `text` stands for, or the escape that stands for none.
fn unescaped(text: &str) -> Result<Bytes, String> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        bytes.extend_from_slice(&rest.as_bytes()[..at]);
        let escape = &rest[at + 1..];
        let Some(letter) = escape.chars().next() else { return Err(String::new()) };
        let mut length = letter.len_utf8();
        bytes.push(match letter {
            'r' => b'\r',
            'n' => b'\n',
            't' => b'\t',
            '0' => 0,
            '\\' => b'\\',
            'x' => {
                length = 3;
                let digits = escape.get(1..3).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
                let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
                byte.ok_or_else(|| escape.chars().take(3).collect::<String>())?
            }
            other => return Err(other.to_string()),
        });
        rest = &escape[length..];
    }
    bytes.extend_from_slice(rest.as_bytes());
    Ok(bytes.into())
}

enum Which {
    Numbers(u64, u64),
    Percent(u8),
}

fn is_method(word: &str) -> bool {
    word.chars().all(|c| c.is_ascii_uppercase() || c == '_')
}
