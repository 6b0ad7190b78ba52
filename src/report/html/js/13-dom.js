'use strict';
// Elements of the page. Text is always text: nothing that a user wrote is ever read as HTML.

/** An element with attributes and children; `class`, `on…` and `data-…` as in HTML. */
function el(tag, attributes, ...children) {
  const made = tag === 'svg' || tag.startsWith('svg:')
    ? document.createElementNS('http://www.w3.org/2000/svg', tag.replace('svg:', ''))
    : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith('on')) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value === true ? '' : value);
  }
  put(made, children);
  return made;
}

function put(parent, children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    parent.append(child);
  }
}

function strong(text) {
  return el('strong', {}, text);
}

/** What stands between backquotes in a sentence of lbsim is code. */
function prose(text) {
  return String(text).split(/(`[^`]+`)/).map(part => (/^`.+`$/.test(part) ? el('code', {}, part.slice(1, -1)) : part));
}

/** Something that is seen when it is asked for; filled then. */
function folded(summary, fill, attributes) {
  const box = el('details', attributes || {}, el('summary', {}, summary));
  let done = false;
  const open = () => {
    if (done) return;
    done = true;
    put(box, [fill()]);
  };
  box.addEventListener('toggle', () => { if (box.open) open(); });
  box.fillNow = open;
  return box;
}
