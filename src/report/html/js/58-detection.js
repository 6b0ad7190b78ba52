'use strict';
// What balancers noticed of failures: how soon, who was hurt until then, and who was left out
// though well.

const NOTICED = [
  ['Until an ill server was left out', 'seconds', 'detect_mean_s', 'detect_mean_half_width_95'], ['Until it was back when well again', 'seconds', 'return_mean_s', 'return_mean_half_width_95'],
  ['Attempts that met an ill server', 'count', 'attempts_hurt', 'attempts_hurt_half_width_95'], ['Failures that went unnoticed', 'count', 'missed', 'missed_half_width_95'],
  ['Well, but left out by checks', 'seconds', 'wrong_by_checks_s', 'wrong_by_checks_s_half_width_95'], ['Well, but left out by ejection', 'seconds', 'wrong_by_ejection_s', 'wrong_by_ejection_s_half_width_95'],
];

function detectionServices() {
  return distinct(rowsOf('detection').map(row => row.service));
}

const DETECTION_CHART = {
  id: 'detection', title: context => `How soon failures were noticed${detectionServices().length > 1 ? ` at ${context.choice.service}` : ''}`,
  says: () => ['Means with 95% intervals; each balancer’s opinion of each server counts for itself.'],
  choices: [{ name: 'service', label: 'Service', initial: detectionServices()[0], options: detectionServices().map(name => [name, name]) }],
  option: context => {
    const rows = rowsOf('detection').filter(row => row.service === context.choice.service);
    const panels = NOTICED.filter(([, , column]) => rows.some(row => row[column] > 0)).map(([title, kind, column, half]) => ({
      title: kind === 'seconds' ? title : title, kind, log: false,
      values: context.shown.map(own => { const row = rows.find(one => one.strategy === own.name); return [own, row ? row[column] : null, row ? row[half] : null]; }),
    }));
    return panels.length ? dotPanels(context, panels) : null;
  },
  rows: context => rowsAsTable('detection', ['strategy', 'service', 'failures', 'missed', 'detect_mean_s', 'detect_p50_s', 'detect_max_s', 'return_mean_s', 'return_max_s', 'attempts_hurt', 'wrong_by_checks_s', 'wrong_by_ejection_s'], context),
};
