//! From what was found to what is said, or refused.

use super::prepared::{FEWEST, Prepared};
use super::search::{Optimum, search};
use super::{Candidate, Discipline, Fitted, Quality, Slots};
use super::{family, likelihood, quality, recover};
use crate::prose::counted;
use crate::stats::{DEFAULT_LEVEL, Estimate, overlapping_batch_means};

/// Where the clock's step is more than this share of the median service time, the fit is refused.
const COARSE: f64 = 0.5;
/// More numbers of slots than this are not tried one by one.
const MANY: usize = 10;
/// Where the mean service times of candidates that remain differ by more than this factor, nothing
/// is identified.
const UNIDENTIFIED: f64 = 1.5;
/// A larger distance between logged and simulated response times is refused.
const POOR: f64 = 0.3;
/// A larger distance is remarked on.
const FAIR: f64 = 0.05;
/// Service times that grow or shrink by a larger factor from quiet to crowded are refused.
const LOADED: f64 = 1.5;
/// A larger share of visits that left before they could have begun is remarked on.
const STRAY: f64 = 0.001;
/// Stretches into which the visits are cut for the interval of the mean.
const STRETCHES: usize = 400;

/// Why nothing is said about a server.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum NoFit {
    /// Too few visits, or more than can be counted.
    #[error(
        "visits that can be used: {usable} ({impossible} left before they came); {FEWEST} are the least from which \
         anything can be said, and some thousands are better: take a longer stretch of the log"
    )]
    Visits {
        /// Visits that left no earlier than they came.
        usable: usize,
        /// Those that did.
        impossible: usize,
    },
    /// The times are years apart.
    #[error(
        "the visits are years apart: times are to be nanoseconds, of one server, in one stretch of time"
    )]
    Span,
    /// The clock is too coarse; times in seconds.
    #[error(
        "the clock of the log goes in steps of {resolution} s and the median time is {median} s: a step may be half of that at \
         most. Log finer times (nginx: $msec and $upstream_response_time, in milliseconds)"
    )]
    Clock {
        /// The step of the clock.
        resolution: f64,
        /// The median service time, or the median stay where that is shorter than a step.
        median: f64,
    },
    /// Very different servers explain the log equally well; mean service times in seconds.
    #[error(
        "the server was so busy, or the log is so short, that mean service times from {least:.4} s to {most:.4} s explain it \
         equally well: add a stretch in which the server has less to do"
    )]
    Unidentified {
        /// The least mean service time that the log allows.
        least: f64,
        /// The greatest.
        most: f64,
    },
    /// Service times depend on how many requests there are.
    #[error(
        "requests that found the server crowded took {factor:.2} times as long as others, waiting aside: neither slots nor sharing \
         explain it. It may share something with other servers (a database, a processor), or requests may be missing from the log"
    )]
    DependsOnLoad {
        /// Mean service time when crowded over that when quiet.
        factor: f64,
    },
    /// The fitted server does not answer as the real one did.
    #[error(
        "the fitted server would not answer as the real one did: the distributions of response times are {distance:.2} apart. \
         Requests may be missing from the log, or the server may have been changed, or have failed, in that time"
    )]
    NoFit {
        /// The largest distance between the two distribution functions.
        distance: f64,
    },
}

/// Searches, fits, compares, and puts it into words.
pub(super) fn fitted(log: &Prepared) -> Result<Fitted, NoFit> {
    let mut found = search(log);
    let (least, most) = (found.means.0 / 1e9, found.means.1 / 1e9);
    if least <= 0.0 || most > UNIDENTIFIED * least {
        return Err(NoFit::Unidentified { least, most });
    }
    let (best, service) = settle(log, &mut found);
    let own = &service[log.counted.clone()];
    check_clock(own, log)?;
    let (clean, as_logged) = clean(&service, log, best);
    let (mean, half_width) = mean(own, as_logged.then_some(&clean[..]));
    let law = family::fit(&clean, mean, log.resolution, as_logged).ok_or(NoFit::Clock {
        resolution: log.resolution / 1e9,
        median: 0.0,
    })?;
    let quality = quality::quality(log, best, &law.sampler, &service, law.distance);
    let factor = quality.load_dependence;
    if quality.depends_on_load && !(1.0 / LOADED..=LOADED).contains(&factor) {
        return Err(NoFit::DependsOnLoad { factor });
    }
    if quality.distance > POOR {
        return Err(NoFit::NoFit {
            distance: quality.distance,
        });
    }
    let slots = match found.most {
        None => Slots::AtLeast(found.fewest),
        Some(most) if most == found.fewest => Slots::Exactly(most),
        Some(most) => Slots::Between(found.fewest, most),
    };
    Ok(Fitted {
        slots,
        chosen_slots: best.slots,
        discipline: best.discipline,
        discipline_is_known: found.rival.is_none(),
        mean: law.mean,
        cv: law.cv,
        half_width,
        utilization: utilization(log, best.slots),
        visits: log.len(),
        found_idle: log.found.iter().filter(|&&found| found == 0).count(),
        peak: log.peak,
        remarks: remarks(log, &found, slots, &quality),
        service: law.dist,
        quality,
    })
}

/// Of the numbers of slots that remain, where they are few: the likeliest, or, where service times
/// would depend on load with that, the one with which they do so least.
fn settle(log: &Prepared, found: &mut Optimum) -> (Candidate, Vec<f64>) {
    let best = found.best;
    let service = recover::recover(log, best);
    let (_, apart) = quality::dependence(log, &service);
    let others = found.fewest..=found.most.unwrap_or(found.fewest);
    if apart <= quality::SURE || others.clone().count() > MANY || !others.contains(&best.slots) {
        return (best, service);
    }
    let mut settled = (apart, best, service);
    for slots in others {
        let candidate = Candidate { slots, ..best };
        let service = recover::recover(log, candidate);
        let (_, apart) = quality::dependence(log, &service);
        if apart < settled.0 {
            settled = (apart, candidate, service);
        }
    }
    found.best = settled.1;
    (settled.1, settled.2)
}

/// Refuses where the median service time is hardly more than a step of the clock.
fn check_clock(service: &[f64], log: &Prepared) -> Result<(), NoFit> {
    let mut sorted = service.to_vec();
    let middle = sorted.len() / 2;
    let (_, median, _) = sorted.select_nth_unstable_by(middle, f64::total_cmp);
    if log.resolution > COARSE * *median || *median <= 0.0 {
        return Err(NoFit::Clock {
            resolution: log.resolution / 1e9,
            median: median.max(0.0) / 1e9,
        });
    }
    Ok(())
}

/// The service times to fit a distribution to, and whether they are stays as they were logged. All
/// that count are a fair sample, since what a request needs does not depend on who was there before
/// it. Where the clock is coarse, the order of those who came together is not known, and with it
/// who began when; then those are taken for whom a slot was free a few ticks before they came,
/// where they are many: that too is settled before their service begins.
fn clean(service: &[f64], log: &Prepared, best: Candidate) -> (Vec<f64>, bool) {
    let counted = log.counted.clone();
    if log.resolution > likelihood::COARSE * log.median && best.discipline == Discipline::Fifo {
        let margin = (2.0 * log.resolution) as i64;
        // Who came within the same tick may have come before it, wherever it stands.
        let before = |visit: usize| {
            let tick = log.arrived[visit].saturating_add(log.resolution as i64);
            log.arrived.partition_point(|&other| other < tick) - 1
        };
        let free = |visit: usize| {
            let departure = before(visit).checked_sub(best.slots as usize);
            let departure = departure.and_then(|k| log.departures.get(k));
            departure.is_none_or(|&at| at < log.arrived[visit].saturating_sub(margin))
        };
        let clean: Vec<f64> = counted
            .clone()
            .filter(|&visit| free(visit))
            .map(|visit| log.stays[visit] as f64)
            .collect();
        if clean.len() >= 2000 && clean.len() >= counted.len() / 10 {
            return (clean, true);
        }
    }
    (service[counted].to_vec(), false)
}

/// The mean service time in nanoseconds, and half the width of its 95% interval in seconds. All
/// service times together are the time for which slots were busy, whoever began when; `clean` ones
/// are fewer, but surely right. Whichever knows the mean better says it.
fn mean(all: &[f64], clean: Option<&[f64]>) -> (f64, Option<f64>) {
    let of = |service: &[f64]| service.iter().sum::<f64>() / service.len().max(1) as f64;
    let half_width = half_width(all);
    // These are of requests that did not wait for each other, and independent.
    let independent = clean.and_then(|clean| {
        let seconds: Vec<f64> = clean.iter().map(|service| service / 1e9).collect();
        Some((clean, Estimate::of(&seconds)?.half_width?))
    });
    match (independent, half_width) {
        (Some((clean, own)), Some(other)) if own < other => (of(clean), Some(own)),
        _ => (of(all), half_width),
    }
}

fn half_width(service: &[f64]) -> Option<f64> {
    let size = service.len().div_ceil(STRETCHES).max(1);
    let stretches: Vec<(f64, f64)> = service
        .chunks(size)
        .map(|chunk| (chunk.iter().sum::<f64>() / 1e9, chunk.len() as f64))
        .collect();
    overlapping_batch_means(&stretches, DEFAULT_LEVEL)
}

/// The time for which slots were busy, over all the time that they had.
fn utilization(log: &Prepared, slots: u32) -> f64 {
    let (from, to) = log.window();
    let (mut busy, mut present, mut since) = (0.0, 0_u32, 0_i64);
    for happening in &log.happenings {
        let lasted = happening.at.min(to) - since.max(from);
        if lasted > 0 {
            busy += lasted as f64 * f64::from(present.min(slots));
        }
        since = happening.at;
        present = if happening.leaves {
            present.saturating_sub(1)
        } else {
            present + 1
        };
    }
    if to > from {
        busy / ((to - from) as f64 * f64::from(slots))
    } else {
        0.0
    }
}

fn remarks(log: &Prepared, found: &Optimum, slots: Slots, quality: &Quality) -> Vec<String> {
    let mut remarks = Vec::new();
    let best = found.best;
    if log.impossible > 0 {
        remarks.push(format!(
            "Not used: {}, by which a request left before it came.",
            counted(log.impossible, "visit")
        ));
    }
    if let Slots::AtLeast(fewest) = slots {
        remarks.push(format!(
            "There never were enough requests at once to tell how many slots it has: {fewest} or more. With {} nobody in the \
             log waits; under more load than in the log, give the number that the server is configured with.",
            best.slots
        ));
    }
    if let Some(rival) = found.rival {
        remarks.push(format!(
            "The log does not tell its discipline: {} with {} explains it as well as {} with {}.",
            rival.discipline,
            counted(rival.slots, "slot"),
            best.discipline,
            best.slots
        ));
    }
    if found.impossible > STRAY {
        remarks.push(format!(
            "{:.1}% of the visits left before they could have begun: it does not work strictly in order of arrival.",
            100.0 * found.impossible
        ));
    }
    let factor = quality.load_dependence;
    if quality.depends_on_load && (factor - 1.0).abs() > 0.05 {
        remarks.push(format!(
            "Requests that found it crowded took {factor:.2} times as long as others, waiting aside: it works more {} under load, \
             which no scenario can say.",
            if factor > 1.0 { "slowly" } else { "quickly" }
        ));
    }
    if quality.distance > FAIR {
        remarks.push(format!(
            "The response times of the fitted server are {:.2} from those of the log (the largest distance of the distribution \
             functions), their mean {:+.0}%. Behind a balancer that looks at the load of its servers that is to be expected, \
             since arrivals would have been others.",
            quality.distance,
            100.0 * quality.mean_error()
        ));
    }
    if log.resolution > 0.2 * log.median {
        remarks.push(
            "The clock of the log is coarse against its times: the shape of the service time is not well known.".to_owned(),
        );
    }
    remarks
}
