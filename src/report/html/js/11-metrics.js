'use strict';
// What the columns of runs.csv are called, in what they are counted, and which way they are better.

const METRICS = {
  objective: ['Objective', 'objective', 'count', 'less'],
  requests: ['Requests in the measured window', 'requests', 'count', ''],
  attempts: ['Attempts at servers', 'attempts', 'count', ''],
  tries_per_request: ['Tries of clients for each request', 'tries a request', 'count', ''],
  hostile_answered_share: ['Hostile requests that were answered', 'hostile answered', 'share', 'less'],
  connections_per_request: ['Connections for each request', 'connections a request', 'count', ''],
  attempts_per_request: ['Attempts for each request', 'attempts a request', 'count', ''],
  failures_missed: ['Failures that nobody noticed', 'failures missed', 'count', 'less'],
  left_out_wrongly_s: ['Time that well servers were left out', 'wrongly left out', 'seconds', 'less'],
  goodput_rps: ['Answered requests a second', 'goodput', 'rate', 'more'],
  success_share: ['Requests that succeeded', 'success', 'share', 'more'],
  first_try_share: ['Requests that succeeded at the first try', 'first try', 'share', 'more'],
  work_wasted_share: ['Work that nobody had an answer of', 'work wasted', 'share', 'less'],
  mean_ms: ['Mean response time', 'mean', 'time', 'less'],
  p50_ms: ['Median response time', 'median', 'time', 'less'],
  max_ms: ['Longest response time', 'longest', 'time', 'less'],
  mean_all_ms: ['Mean time to the end, failed requests included', 'mean of all', 'time', 'less'],
  utilization_mean: ['Slot time in use', 'utilization', 'share', ''],
  utilization_spread: ['Busiest less idlest server', 'util. spread', 'share', 'less'],
  utilization_max: ['Utilization of the busiest server', 'busiest server', 'share', 'less'],
  cost_per_hour: ['Cost an hour', 'cost an hour', 'count', 'less'],
  cost_per_million: ['Cost of a million answers', 'cost a million', 'count', 'less'],
  servers_cost_per_hour: ['Cost of servers an hour', 'servers, an hour', 'count', 'less'],
  balancers_cost_per_hour: ['Cost of balancers an hour', 'balancers, an hour', 'count', 'less'],
  traffic_cost_per_hour: ['Cost of traffic between zones an hour', 'traffic, an hour', 'count', 'less'],
  cross_zone_share: ['Bytes that left their zone', 'cross-zone', 'share', 'less'],
  servers_mean: ['Servers in the pools, on average', 'servers', 'count', 'less'],
  servers_max: ['Servers in the pools, at most', 'servers at most', 'count', ''],
  scale_outs: ['Times that servers were ordered', 'scale-outs', 'count', ''],
  scale_ins: ['Times that servers were removed', 'scale-ins', 'count', ''],
  sessions: ['Sessions', 'sessions', 'count', ''],
  sessions_lost: ['Session states lost', 'states lost', 'count', 'less'],
  sessions_hurt: ['Sessions that lost their state', 'sessions hurt', 'count', 'less'],
  sessions_hurt_share: ['Share of sessions that lost their state', 'sessions hurt', 'share', 'less'],
  met_loss_share: ['Requests that found their state lost', 'met a loss', 'share', 'less'],
  changes_lost_share: ['Acknowledged changes that were lost', 'changes lost', 'share', 'less'],
  sessions_set_back: ['States that went on from an old copy', 'set back', 'count', 'less'],
  set_back_by_s: ['How old such a copy was', 'set back by', 'seconds', 'less'],
  stale_reads_share: ['Readings that were not the newest', 'stale reads', 'share', 'less'],
  backward_reads_share: ['Readings older than one seen before', 'backward reads', 'share', 'less'],
  lost_updates_share: ['Changes that overwrote others', 'updates lost', 'share', 'less'],
  rebuilds_per_session: ['States set up anew for each session', 'rebuilds a session', 'count', 'less'],
  revocation_delay_s: ['How long revoked sessions could be used', 'revoked, good for', 'seconds', 'less'],
  bound_share: ['Attempts sent where their client was bound', 'bound', 'share', ''],
  sent_elsewhere_share: ['Requests that affinity kept from the strategy’s server', 'sent elsewhere', 'share', ''],
  state_mib_max: ['MiB of states on the fullest server', 'state, MiB', 'count', 'less'],
  state_mib_spread: ['MiB of states, fullest less emptiest server', 'state spread, MiB', 'count', 'less'],
  state_bytes_per_request: ['Bytes of states sent for each answer', 'state bytes a request', 'count', 'less'],
};

/**
 * `p99_ms` is the 99th percentile, `p999_ms` the 99.9th, `p99_95_ms` and `p99.95_ms` the 99.95th.
 */
function percentileOf(name) {
  const match = /^p(\d+)(?:[._](\d+))?(_all)?_ms$/.exec(name);
  if (!match) return null;
  const [, whole, part, all] = match;
  const digits = part || whole.slice(2);
  return { percent: whole.slice(0, 2) + (digits ? `.${digits}` : ''), all: Boolean(all) };
}

function ordinal(percent) {
  if (percent.includes('.')) return `${percent}th`;
  const tail = Number(percent) % 10;
  const teen = Math.floor(Number(percent) / 10) === 1;
  return percent + (teen ? 'th' : { 1: 'st', 2: 'nd', 3: 'rd' }[tail] || 'th');
}

/**
 * A metric by the name of its column: `label`, `short`, `unit` (time, share, rate, seconds,
 * count), `better`.
 */
function metricOf(name) {
  const own = METRICS[name];
  if (own) return { name, label: own[0], short: own[1], unit: own[2], better: own[3] };
  const percentile = percentileOf(name);
  if (percentile) {
    const which = `${ordinal(percentile.percent)} percentile`;
    return percentile.all
      ? { name, label: `${which} of the time to the end, failed requests included`, short: `p${percentile.percent} of all`, unit: 'time', better: 'less' }
      : { name, label: `${which} of the response time`, short: `p${percentile.percent}`, unit: 'time', better: 'less' };
  }
  const words = name.replace(/_(ms|s|share|rps)$/, '').replaceAll('_', ' ');
  const label = words.charAt(0).toUpperCase() + words.slice(1);
  return { name, label, short: words, unit: unitOfColumn(name), better: '' };
}

/** In what a column is counted, by the end of its name. */
function unitOfColumn(name) {
  const base = name.replace(/_half_width_95$/, '');
  if (/_ms$/.test(base)) return 'time';
  if (/_rps$/.test(base)) return 'rate';
  if (/(_share|^utilization)$/.test(base)) return 'share';
  if (/_s$/.test(base)) return 'seconds';
  return 'count';
}

/** What the best by a metric has: `the lowest 99th percentile of the response time`. */
function superlativeOf(metric) {
  const label = inSentence(metric.label);
  const shared = metric.unit === 'share' && !/^(share|util|busiest|slot)/.test(label);
  return `the ${superlative(metric)} ${shared ? `share of ${label}` : label}`;
}

/** How the best by a metric is called: fewest, lowest or highest. */
function superlative(metric) {
  if (metric.better === 'more') return 'highest';
  return metric.unit === 'count' && !metric.name.startsWith('cost') ? 'fewest' : 'lowest';
}

/** A label in the middle of a sentence. */
function inSentence(label) {
  return /^(MiB|[A-Z]{2})/.test(label) ? label : label.charAt(0).toLowerCase() + label.slice(1);
}

const JUDGE = metricOf(ABOUT.judge_by || 'mean_ms');
