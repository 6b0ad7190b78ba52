'use strict';
// Each group of clients by itself: what one gains another may lose.

function clientMetrics() {
  const names = distinct(rowsOf('clients').filter(row => known(row.estimate)).map(row => row.metric));
  return distinct([JUDGE.name, 'mean_ms', 'p50_ms', 'p90_ms', 'p99_ms', 'p999_ms', 'success_share', 'goodput_rps', 'sessions_lost', 'sessions_hurt_share', 'met_loss_share', 'changes_lost_share', 'sessions_set_back', 'set_back_by_s']).filter(name => names.includes(name)).map(metricOf);
}

const CLIENTS_CHART = {
  id: 'clients', title: context => `${metricOf(context.choice.metric).label}, by group of clients`,
  says: () => ['A panel a group; marks with their 95% intervals. All panels have the same axis.'],
  choices: [
    { name: 'metric', label: 'Metric', initial: clientMetrics()[0]?.name, options: metricOptions(clientMetrics()) },
    { name: 'scale', label: 'Scale', initial: 'linear', options: [['linear', 'Linear'], ['log', 'Log']] },
  ],
  option: context => {
    const metric = metricOf(context.choice.metric);
    const rows = rowsOf('clients').filter(row => row.metric === metric.name);
    return dotPanels(context, clientGroups().slice(0, 12).map(group => ({
      title: group, kind: metric.unit, log: context.choice.scale === 'log' && metric.unit !== 'share',
      values: context.shown.map(own => { const row = rows.find(one => one.clients === group && one.strategy === own.name); return [own, row?.estimate ?? null, row?.half_width_95 ?? null]; }),
    })));
  },
  rows: context => rowsAsTable('clients', ['clients', 'strategy', 'metric', 'estimate', 'half_width_95', 'difference', 'verdict'], context, row => row.metric === context.choice.metric),
};
