/** What runs inside the report: draws the charts, shows their data, saves them, picks out a variant. Plain JavaScript for browsers, kept
 *  as text because the page carries it as text and its digest is part of the page. */
export const pageScript = String.raw`
(() => {
  'use strict';
  const charts = JSON.parse(document.getElementById('charts').textContent);
  const views = [];
  const maxTableRows = 500;

  const unpack = ({ length, columns }) => {
    const rows = Array.from({ length }, () => ({}));
    for (const { key, values, words } of columns) {
      for (let at = 0; at < length; at++) rows[at][key] = words ? words[values[at]] : values[at];
    }
    return rows;
  };

  const element = (name, text) => {
    const made = document.createElement(name);
    if (text !== undefined) made.textContent = text;
    return made;
  };

  const tip = element('div');
  tip.className = 'tip';
  tip.hidden = true;
  document.body.append(tip);
  const tooltip = (handler, event, item, value) => {
    if (value === null || value === undefined || value === '') {
      tip.hidden = true;
      return;
    }
    tip.replaceChildren();
    if (typeof value === 'object') {
      for (const [key, text] of Object.entries(value)) {
        const row = element('div');
        row.append(element('span', key), element('b', String(text)));
        tip.append(row);
      }
    } else tip.textContent = String(value);
    tip.hidden = false;
    const { clientX: x, clientY: y } = event;
    const right = x + 16 + tip.offsetWidth > window.innerWidth;
    const low = y + 16 + tip.offsetHeight > window.innerHeight;
    tip.style.left = (right ? Math.max(4, x - 12 - tip.offsetWidth) : x + 16) + 'px';
    tip.style.top = (low ? Math.max(4, y - 12 - tip.offsetHeight) : y + 16) + 'px';
  };

  const cell = (value) => {
    if (value === null || value === undefined) return '';
    let text = String(value);
    // A spreadsheet would run these.
    if (typeof value === 'string' && /^[=+\-@\t\r]/.test(text)) text = "'" + text;
    return /[",\n\r]/.test(text) ? '"' + text.replaceAll('"', '""') + '"' : text;
  };
  const toCsv = ({ columns }, rows) => {
    const keys = columns.map((column) => column.key);
    return [keys, ...rows.map((row) => keys.map((key) => row[key]))].map((line) => line.map(cell).join(',') + '\n').join('');
  };

  const save = (name, type, text) => {
    const link = element('a');
    link.href = URL.createObjectURL(new Blob([text], { type }));
    link.download = name;
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  };

  const table = (packed, rows) => {
    const made = element('table');
    const head = element('tr');
    for (const { key } of packed.columns) {
      const title = element('th', key);
      title.scope = 'col';
      head.append(title);
    }
    const body = element('tbody');
    for (const row of rows.slice(0, maxTableRows)) {
      const line = element('tr');
      for (const { key } of packed.columns) {
        const value = row[key];
        const one = element('td', value === null || value === undefined ? '' : String(value));
        if (typeof value === 'number') one.className = 'number';
        line.append(one);
      }
      body.append(line);
    }
    const header = element('thead');
    header.append(head);
    made.append(header, body);
    const parts = [made];
    if (rows.length > maxTableRows) parts.push(element('p', 'The first ' + maxTableRows + ' of ' + rows.length + ' rows; the CSV has all of them.'));
    return parts;
  };

  let highlighted = '';
  const buttons = [...document.querySelectorAll('[data-variant]')];
  const highlight = (variant) => {
    highlighted = variant === highlighted ? '' : variant;
    for (const button of buttons) button.setAttribute('aria-pressed', String(button.dataset.variant === highlighted));
    for (const view of views) {
      try {
        view.signal('highlight', highlighted).runAsync();
      } catch {
        // This chart has nothing to pick out.
      }
    }
  };
  const known = new Set(buttons.map((button) => button.dataset.variant));
  for (const button of buttons) button.addEventListener('click', () => highlight(button.dataset.variant));
  document.addEventListener('keydown', (event) => {
    if (event.key === 'Escape' && highlighted !== '') highlight(highlighted);
  });

  const draw = async (chart) => {
    const figure = document.getElementById('chart-' + chart.name);
    const datasets = Object.fromEntries(Object.entries(chart.datasets).map(([name, packed]) => [name, unpack(packed)]));
    const [main] = Object.keys(chart.datasets);
    for (const data of chart.vega.data) if (Object.hasOwn(datasets, data.name)) data.values = datasets[data.name].map((row) => ({ ...row }));
    const view = new vega.View(vega.parse(chart.vega, null, { ast: true }), {
      expr: vegaInterpreter,
      renderer: chart.dense ? 'canvas' : 'svg',
      container: figure.querySelector('.plot'),
      hover: true,
      tooltip,
    });
    view.addEventListener('click', (event, item) => {
      const role = item && item.mark && item.mark.role;
      if (!role || !role.startsWith('legend')) return;
      const value = item.datum && item.datum.value;
      if (known.has(value)) highlight(value);
    });
    views.push(view);
    await view.runAsync();

    for (const button of figure.querySelectorAll('[data-save]')) {
      button.addEventListener('click', async () => {
        if (button.dataset.save === 'svg') save(chart.name + '.svg', 'image/svg+xml', await view.toSVG());
        else if (button.dataset.save === 'csv') save(chart.name + '.csv', 'text/csv', toCsv(chart.datasets[main], datasets[main]));
        else save(chart.name + '.vl.json', 'application/json', JSON.stringify({ ...chart.source, datasets }, null, 1) + '\n');
      });
    }
    figure.querySelector('details').addEventListener(
      'toggle',
      (event) => event.target.querySelector('.rows').append(...table(chart.datasets[main], datasets[main])),
      { once: true },
    );
  };

  Promise.allSettled(charts.map(draw)).then((results) => {
    results.forEach((result, index) => {
      if (result.status === 'fulfilled') return;
      document.querySelector('#chart-' + charts[index].name + ' .plot').textContent = 'This chart could not be drawn: ' + result.reason;
      console.error(result.reason);
    });
    document.documentElement.dataset.ready = String(results.every((result) => result.status === 'fulfilled') || 'failed');
  });
})();
`;
