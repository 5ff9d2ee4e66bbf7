//! How fast background jobs may transfer, and when: the policies MaxInternetBandwidth,
//! EnableBandwidthLimits and EnableMaintenanceLimits (clauses `policy.max_bandwidth.*`,
//! `policy.bandwidth_limits.*`, `policy.maintenance_limits`).
//!
//! Data, and one pure function over it. Hours are those of the wall clock, which on the emulated
//! machine shows UTC.

use std::time::Duration;

use bits_api::{FileTime, JobPriority};

use crate::{Policies, Profile};

/// Kilobits a second; zero stops transfers, `None` is all the idle bandwidth.
pub type Rate = Option<u32>;

/// Fewer kilobits a second than this are raised to it, but for zero.
const FLOOR: u32 = 2;

/// MaxInternetBandwidth: one limit for some hours of every day, one for the rest (2.0).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct InternetBandwidth {
    /// The hour at which the interval begins, 0 to 23.
    pub from: u8,
    /// The hour at which it ends; with the same hour as `from` it is the whole day.
    pub to: u8,
    /// The limit inside the interval.
    pub inside: Rate,
    /// The limit outside.
    pub outside: Rate,
}

impl InternetBandwidth {
    /// One limit for the whole day.
    pub const fn all_day(kilobits: u32) -> Self {
        Self { from: 0, to: 0, inside: Some(kilobits), outside: None }
    }
}

/// A day of the week.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(missing_docs, reason = "their names say it")]
pub enum Weekday {
    Sunday,
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
}

/// The same hours on some days of every week.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct WeeklyHours {
    /// The first of the days.
    pub first: Weekday,
    /// The last; before `first`, the days go over the end of the week.
    pub last: Weekday,
    /// The hour of each day at which the time begins, 0 to 23.
    pub from: u8,
    /// The hour at which it ends; with the same hour as `from` it is the whole day, with an
    /// earlier one the rest of the day before `from` is left out.
    pub to: u8,
}

/// A limit for each background priority.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct PriorityRates {
    /// For HIGH.
    pub high: Rate,
    /// For NORMAL.
    pub normal: Rate,
    /// For LOW.
    pub low: Rate,
}

impl PriorityRates {
    /// The same for each priority.
    pub const fn all(rate: Rate) -> Self {
        Self { high: rate, normal: rate, low: rate }
    }

    /// The limit for jobs of `priority`; there is none for those in the foreground.
    pub fn of(&self, priority: JobPriority) -> Rate {
        match priority {
            JobPriority::HIGH => self.high,
            JobPriority::NORMAL => self.normal,
            JobPriority::LOW => self.low,
            _ => None,
        }
    }

    /// Each limit with the other's: the lower one counts.
    fn lower(self, other: Self) -> Self {
        let lower = |one: Rate, other: Rate| one.into_iter().chain(other).min();
        Self {
            high: lower(self.high, other.high),
            normal: lower(self.normal, other.normal),
            low: lower(self.low, other.low),
        }
    }

    fn raised_to_floor(self) -> Self {
        let raise = |rate: Rate| rate.map(|kilobits| if kilobits == 0 { 0 } else { kilobits.max(FLOOR) });
        Self { high: raise(self.high), normal: raise(self.normal), low: raise(self.low) }
    }
}

/// EnableBandwidthLimits: limits for the hours of work, and for all others (4.0).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct WorkLimits {
    /// When people work.
    pub hours: WeeklyHours,
    /// Limits then.
    pub work: PriorityRates,
    /// Limits at all other times.
    pub other: PriorityRates,
}

/// EnableMaintenanceLimits: limits that replace those of [`WorkLimits`] at some hours (4.0).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct MaintenanceLimits {
    /// When the machine is maintained.
    pub hours: WeeklyHours,
    /// Limits then.
    pub limits: PriorityRates,
}

/// The limits in force, and for how long they are.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct LimitsInForce {
    /// For each background priority.
    pub rates: PriorityRates,
    /// When others come; `None` when they never do.
    pub until: Option<FileTime>,
}

const HOUR: u64 = 3_600;
const HOURS_OF_A_DAY: u64 = 24;
const HOURS_OF_A_WEEK: u64 = 7 * HOURS_OF_A_DAY;

impl Policies {
    /// What `profile` makes of the policies about bandwidth when the wall shows `at`.
    pub fn limits_in_force(&self, profile: Profile, at: FileTime) -> LimitsInForce {
        // The FILETIME epoch was midnight before a Monday.
        let hours = at.since(FileTime::ZERO).as_secs() / HOUR;
        let rates = self.rates_in_hour(profile, hours);
        let next = (1..=HOURS_OF_A_WEEK).find(|ahead| self.rates_in_hour(profile, hours + ahead) != rates);
        let until = next.map(|ahead| FileTime::ZERO.plus(Duration::from_secs((hours + ahead).saturating_mul(HOUR))));
        LimitsInForce { rates, until }
    }

    /// The limits in an hour that is counted from the FILETIME epoch.
    fn rates_in_hour(&self, profile: Profile, hours: u64) -> PriorityRates {
        let hour = hours % HOURS_OF_A_DAY;
        let daily = self.max_internet_bandwidth.filter(|_| profile >= Profile::V2_0).map(|policy| {
            PriorityRates::all(if is_between(hour, policy.from, policy.to) { policy.inside } else { policy.outside })
        });
        let maintained = self.maintenance_limits.filter(|policy| policy.hours.contain(hours));
        let weekly = match (maintained, self.bandwidth_limits) {
            _ if profile < Profile::V4_0 => None,
            (Some(policy), _) => Some(policy.limits),
            (None, Some(policy)) if policy.hours.contain(hours) => Some(policy.work),
            (None, Some(policy)) => Some(policy.other),
            (None, None) => None,
        };
        daily.unwrap_or_default().lower(weekly.unwrap_or_default()).raised_to_floor()
    }
}

impl WeeklyHours {
    fn contain(self, hours: u64) -> bool {
        let day = (hours / HOURS_OF_A_DAY + Weekday::Monday as u64) % 7;
        let (first, last) = (self.first as u64, self.last as u64);
        let is_day = if first <= last { (first..=last).contains(&day) } else { day >= first || day <= last };
        is_day && is_between(hours % HOURS_OF_A_DAY, self.from, self.to)
    }
}

/// Whether an hour of the day lies in an interval that may go over midnight.
fn is_between(hour: u64, from: u8, to: u8) -> bool {
    let (from, to) = (u64::from(from), u64::from(to));
    if from < to { (from..to).contains(&hour) } else { hour >= from || hour < to }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-01-05 was a Monday.
    const MONDAY: FileTime = FileTime::from_unix_seconds(1_767_571_200);

    fn at(day: u64, hour: u64) -> FileTime {
        MONDAY.plus(Duration::from_hours(24 * day + hour))
    }

    fn normal_at(policies: &Policies, at: FileTime) -> (Rate, Option<Duration>) {
        let limits = policies.limits_in_force(Profile::default(), at);
        (limits.rates.normal, limits.until.map(|until| until.since(at)))
    }

    fn hours(hours: u64) -> Duration {
        Duration::from_hours(hours)
    }

    fn working_week() -> WeeklyHours {
        WeeklyHours { first: Weekday::Monday, last: Weekday::Friday, from: 8, to: 17 }
    }

    #[test]
    fn without_policies_nothing_is_limited_ever() {
        assert_eq!(Policies::default().limits_in_force(Profile::default(), MONDAY), LimitsInForce::default());
    }

    #[test]
    fn a_daily_interval_has_one_limit_and_the_rest_of_the_day_another() {
        let bandwidth = InternetBandwidth { from: 8, to: 17, inside: Some(10), outside: Some(500) };
        let policies = Policies { max_internet_bandwidth: Some(bandwidth), ..Policies::default() };
        assert_eq!(normal_at(&policies, at(0, 7)), (Some(500), Some(hours(1))));
        assert_eq!(normal_at(&policies, at(0, 8)), (Some(10), Some(hours(9))));
        assert_eq!(normal_at(&policies, at(0, 17)), (Some(500), Some(hours(15))));
        assert_eq!(policies.limits_in_force(Profile::V1_5, at(0, 8)), LimitsInForce::default());
    }

    #[test]
    fn a_daily_interval_may_go_over_midnight_or_be_the_whole_day() {
        let bandwidth = InternetBandwidth { from: 22, to: 6, inside: Some(10), outside: None };
        let mut policies = Policies { max_internet_bandwidth: Some(bandwidth), ..Policies::default() };
        assert_eq!(normal_at(&policies, at(0, 5)), (Some(10), Some(hours(1))));
        assert_eq!(normal_at(&policies, at(0, 6)), (None, Some(hours(16))));
        assert_eq!(normal_at(&policies, at(0, 23)), (Some(10), Some(hours(7))));
        policies.max_internet_bandwidth = Some(InternetBandwidth::all_day(10));
        assert_eq!(normal_at(&policies, at(0, 5)), (Some(10), None));
    }

    #[test]
    fn a_limit_below_two_kilobits_is_two_but_zero_is_zero() {
        for (given, used) in [(0, 0), (1, 2), (2, 2), (3, 3)] {
            let bandwidth = InternetBandwidth::all_day(given);
            let policies = Policies { max_internet_bandwidth: Some(bandwidth), ..Policies::default() };
            assert_eq!(normal_at(&policies, MONDAY).0, Some(used));
        }
    }

    #[test]
    fn a_week_of_work_has_limits_by_priority_and_other_hours_have_others() {
        let work = PriorityRates { high: None, normal: Some(100), low: Some(0) };
        let limits = WorkLimits { hours: working_week(), work, other: PriorityRates::all(Some(900)) };
        let policies = Policies { bandwidth_limits: Some(limits), ..Policies::default() };
        let rates = |at| policies.limits_in_force(Profile::default(), at).rates;
        assert_eq!(rates(at(0, 8)), work);
        assert_eq!(rates(at(4, 16)), work);
        for off in [at(0, 7), at(0, 17), at(5, 8), at(6, 8)] {
            assert_eq!(rates(off), PriorityRates::all(Some(900)));
        }
        assert_eq!(normal_at(&policies, at(4, 17)).1, Some(hours(7 + 48 + 8)));
        assert_eq!(policies.limits_in_force(Profile::V3_0, at(0, 8)), LimitsInForce::default());
    }

    #[test]
    fn maintenance_replaces_the_limits_of_work() {
        let work =
            WorkLimits { hours: working_week(), work: PriorityRates::all(Some(10)), other: PriorityRates::default() };
        // From Friday over the weekend to Monday.
        let hours = WeeklyHours { first: Weekday::Friday, last: Weekday::Monday, from: 12, to: 14 };
        let limits = PriorityRates::all(Some(5_000));
        let policies = Policies {
            bandwidth_limits: Some(work),
            maintenance_limits: Some(MaintenanceLimits { hours, limits }),
            ..Policies::default()
        };
        for day in [0, 4, 5, 6] {
            assert_eq!(normal_at(&policies, at(day, 12)).0, Some(5_000));
        }
        assert_eq!(normal_at(&policies, at(1, 12)).0, Some(10));
        assert_eq!(normal_at(&policies, at(0, 14)).0, Some(10));
    }

    #[test]
    fn of_two_policies_the_lower_limit_counts() {
        let work = WorkLimits {
            hours: working_week(),
            work: PriorityRates { high: Some(5), normal: Some(50), low: None },
            other: PriorityRates::default(),
        };
        let policies = Policies {
            max_internet_bandwidth: Some(InternetBandwidth::all_day(20)),
            bandwidth_limits: Some(work),
            ..Policies::default()
        };
        let rates = policies.limits_in_force(Profile::default(), at(0, 9)).rates;
        assert_eq!(rates, PriorityRates { high: Some(5), normal: Some(20), low: Some(20) });
    }
}
