'use strict';
// Why a server did nothing in a stretch of time, as far as what was written tells: it was not
// there, it was dead, or it had nothing to do.

const STATES = {
  idle: { text: 'no work', also: 'no work, or not there: an autoscaler decides' },
  absent: { text: 'not there' },
  dead: { text: 'dead' },
};

/** Whether a server is meant by a name of the scenario: a service, a group, a server, a pattern. */
function isMeant(target, server) {
  if (target.includes('*')) {
    const parts = target.split('*').map(part => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
    return new RegExp(`^${parts.join('.*')}$`).test(server);
  }
  return target === serviceOf(server) || target === server || target === server.replace(/-\d+$/, '');
}

/** The servers that a crash is of; empty where it is not of servers with names. */
function crashed(label) {
  const fault = (ABOUT.scenario?.faults || []).find(own => own.kind === 'crash' && own.name === label);
  return fault?.servers || /^crash of (?!balancers )(.+)$/.exec(label)?.[1] || '';
}

const NEVER = new Set(rowsOf('servers').filter(row => row.utilization === null).map(row => `${row.strategy}\n${row.server}`));

/** Whether a server was never there under a strategy: an autoscaler did not order it. */
function wasNever(strategy, server) {
  return NEVER.has(`${strategy}\n${server}`);
}

/** When a server is known not to be there, or to be dead: `{from, to, state}`. */
function awayOf(strategy, server) {
  if (wasNever(strategy, server)) return [{ from: 0, to: END_S, state: 'absent' }];
  const own = EVENTS.filter(event => !event.only?.length || event.only.includes(strategy));
  return own.flatMap(event => {
    const begins = event.from_s;
    if (event.kind === 'join' && isMeant(event.label.replace(/ joins$/, ''), server)) return [{ from: 0, to: begins, state: 'absent' }];
    if (event.kind === 'leave' && isMeant(event.label.replace(/ leaves$/, ''), server)) return [{ from: begins, to: END_S, state: 'absent' }];
    if (event.kind === 'crash' && isMeant(crashed(event.label), server)) return [{ from: begins, to: event.to_s ?? END_S, state: 'dead' }];
    return [];
  });
}

/** What a server is that did no work from a time to another. */
function stateAt(away, from, to) {
  return away.find(own => own.from <= from + 1e-6 && to <= own.to + 1e-6)?.state || 'idle';
}

/** Whether an autoscaler orders servers: of each of those it is not written when it was there. */
function isScaled() {
  return (ABOUT.scenario?.services || []).some(service => (service.servers || []).some(group => group.autoscale));
}

/** What a state is called, in the key. */
function stateText(state) {
  return (isScaled() && STATES[state].also) || STATES[state].text;
}
