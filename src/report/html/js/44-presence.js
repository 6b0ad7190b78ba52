'use strict';
// Why a server did nothing in a stretch of time: it was dead, it was not there, or nothing came.

/** From such a share of a stretch on a server counts as dead, or as not there, for all of it. */
const MOSTLY = 0.5;
const STATES = { nothing: null, absent: 'not there', dead: 'dead' };

const NEVER = new Set(rowsOf('servers').filter(row => row.utilization === null).map(row => `${row.strategy}\n${row.server}`));

/** Whether a server was never there under a strategy: an autoscaler did not order it. */
function wasNever(strategy, server) {
  return NEVER.has(`${strategy}\n${server}`);
}

/** When a server has not joined yet, or has left, by the plan: `[from, to]`. */
function awayOf(strategy, server) {
  const group = server.replace(/-\d+$/, '');
  const own = EVENTS.filter(event => !event.only?.length || event.only.includes(strategy));
  const of = (kind, verb) => own.filter(event => event.kind === kind && [server, group].includes(event.label.replace(verb, '')));
  return [...of('join', / joins$/).map(event => [0, event.from_s]), ...of('leave', / leaves$/).map(event => [event.from_s, END_S])];
}

/** What a server is of which a row has nothing else to tell; `away` as `awayOf` has it. */
function stateOf(row, away) {
  if (row.dead_share >= MOSTLY) return 'dead';
  const planned = away.some(([from, to]) => from <= row.from_s + 1e-6 && row.to_s <= to + 1e-6);
  return planned || row.away_share >= MOSTLY ? 'absent' : 'nothing';
}
