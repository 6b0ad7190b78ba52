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

/** What a server is of which a row has nothing else to tell. */
function stateOf(row) {
  if (row.dead_share >= MOSTLY) return 'dead';
  return row.away_share >= MOSTLY ? 'absent' : 'nothing';
}
