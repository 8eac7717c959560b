// @ts-check
import { html, svg } from '../vendor/lit.js';

/** Paths on a 24 x 24 grid, drawn with a stroke. @type {Record<string, unknown>} */
const PATHS = {
  back: svg`<path d="M15 5l-7 7 7 7"/>`,
  next: svg`<path d="M9 5l7 7-7 7"/>`,
  up: svg`<path d="M5 15l7-7 7 7"/>`,
  down: svg`<path d="M5 9l7 7 7-7"/>`,
  ok: svg`<path d="M4 13l5 5L20 6"/>`,
  wrong: svg`<path d="M6 6l12 12M18 6L6 18"/>`,
  dup: svg`<rect x="4" y="4" width="11" height="11" rx="1.5"/><path d="M9 20h9.5a1.5 1.5 0 0 0 1.5-1.5V9"/>`,
  unknown: svg`<path d="M8.5 9a3.6 3.6 0 1 1 5 3.3c-1 .5-1.5 1.2-1.5 2.4M12 18.6v.2"/>`,
  rejected: svg`<path d="M6 6l12 12M18 6L6 18"/>`,
  info: svg`<circle cx="12" cy="12" r="9"/><path d="M12 11v6M12 7.2v.2"/>`,
  warn: svg`<path d="M12 3.5L2.5 20h19zM12 10v4.5M12 17.2v.2"/>`,
  lock: svg`<rect x="5" y="11" width="14" height="9" rx="2"/><path d="M8 11V8a4 4 0 0 1 8 0v3"/>`,
  gnss: svg`<path d="M12 21c4.5-5 7-8.4 7-11.5A7 7 0 0 0 5 9.5C5 12.6 7.5 16 12 21z"/><circle cx="12" cy="9.5" r="2.3"/>`,
  link: svg`<path d="M4 19v-3M9.3 19v-6M14.6 19V9M20 19V5"/>`,
  nolink: svg`<path d="M4 19v-3M9.3 19v-6M14 4l7 7M21 4l-7 7"/>`,
  queue: svg`<path d="M12 15V4M7.5 8.5L12 4l4.5 4.5M4 15v3.5A1.5 1.5 0 0 0 5.5 20h13a1.5 1.5 0 0 0 1.5-1.5V15"/>`,
  menu: svg`<path d="M4 6.5h16M4 12h16M4 17.5h16"/>`,
  parcel: svg`<path d="M4 7.5L12 3l8 4.5v9L12 21l-8-4.5zM4 7.5l8 4.5 8-4.5M12 12v9"/>`,
  scan: svg`<path d="M3 8V4.5A1.5 1.5 0 0 1 4.5 3H8M16 3h3.5A1.5 1.5 0 0 1 21 4.5V8M21 16v3.5a1.5 1.5 0 0 1-1.5 1.5H16M8 21H4.5A1.5 1.5 0 0 1 3 19.5V16M7 8v8M10.5 8v8M13.5 8v8M17 8v8"/>`,
  photo: svg`<path d="M3 8.5A1.5 1.5 0 0 1 4.5 7H7l1.8-2.5h6.4L17 7h2.5A1.5 1.5 0 0 1 21 8.5v9a1.5 1.5 0 0 1-1.5 1.5h-15A1.5 1.5 0 0 1 3 17.5z"/><circle cx="12" cy="13" r="3.6"/>`,
  sign: svg`<path d="M3 20h18M5 15.5L15.5 5l3.5 3.5L8.5 19H5z"/>`,
  name: svg`<circle cx="12" cy="8" r="4"/><path d="M4.5 20.5c1-4 4-6 7.5-6s6.5 2 7.5 6"/>`,
  cod: svg`<rect x="2.5" y="6" width="19" height="12" rx="2"/><circle cx="12" cy="12" r="2.8"/><path d="M6 9.5v.2M18 14.4v.2"/>`,
  pin: svg`<rect x="4" y="3" width="16" height="18" rx="2"/><path d="M8 8h.2M12 8h.2M16 8h.2M8 12h.2M12 12h.2M16 12h.2M12 16.5h.2"/>`,
  rate: svg`<circle cx="12" cy="12" r="9"/><path d="M8 14.5c1 1.6 2.4 2.3 4 2.3s3-.7 4-2.3M9 9.5v.3M15 9.5v.3"/>`,
  message: svg`<path d="M4 5h16v11.5H10L5.5 20v-3.5H4z"/>`,
  route: svg`<circle cx="6" cy="18.5" r="2.3"/><circle cx="18" cy="5.5" r="2.3"/><path d="M8.5 18.5H15a3.250 3.250 0 0 0 0-6.5H9a3.250 3.250 0 0 1 0-6.5h6.5"/>`,
  drive: svg`<circle cx="12" cy="12" r="9"/><circle cx="12" cy="12" r="2.2"/><path d="M3.5 10.5c3-1.5 5.5-2 8.5-2s5.5.5 8.5 2M12 14.2V21"/>`,
  arrive: svg`<path d="M6 21V3.5M6 4.5h12l-2.5 4 2.5 4H6"/>`,
  clock: svg`<circle cx="12" cy="12" r="9"/><path d="M12 7v5.5l3.5 2"/>`,
  phone: svg`<path d="M5 4h4l1.5 5-2.3 1.6a12 12 0 0 0 5.2 5.2L15 13.5l5 1.5v4a1.5 1.5 0 0 1-1.6 1.5C10.5 20 4 13.5 3.5 5.6A1.5 1.5 0 0 1 5 4z"/>`,
  note: svg`<path d="M5 3.5h10l4 4v13H5zM14.5 3.5v4.5H19M8.5 12.5h7M8.5 16h5"/>`,
  keyboard: svg`<rect x="2.5" y="6" width="19" height="12" rx="2"/><path d="M6.5 10h.2M10 10h.2M13.5 10h.2M17 10h.2M8 14h8"/>`,
  erase: svg`<path d="M8.5 5.5H21v13H8.5L2.5 12zM12 9.5l5 5M17 9.5l-5 5"/>`,
  undo: svg`<path d="M8 4L4 8l4 4M4 8h9.5a6 6 0 0 1 0 12H9"/>`,
  again: svg`<path d="M19.5 5v5h-5M19 10a7.5 7.5 0 1 0 .5 4"/>`,
  badge: svg`<rect x="3" y="5" width="18" height="14" rx="2"/><path d="M6.5 9.5v5M9 9.5v5M11 9.5v5M14 9.5v5M17.5 9.5v5"/>`,
  day: svg`<circle cx="12" cy="12" r="4"/><path d="M12 2.5v2.5M12 19v2.5M2.5 12H5M19 12h2.5M5.3 5.3L7 7M17 17l1.7 1.7M18.7 5.3L17 7M7 17l-1.7 1.7"/>`,
  night: svg`<path d="M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5z"/>`,
  auto: svg`<circle cx="12" cy="12" r="8.5"/><path d="M12 3.5v17M12 3.5a8.5 8.5 0 0 1 0 17" fill="currentColor"/>`,
  hand: svg`<path d="M7 12V6.5a1.5 1.5 0 0 1 3 0V11M10 10V4.5a1.5 1.5 0 0 1 3 0V10M13 10V5.5a1.5 1.5 0 0 1 3 0V11M16 9a1.5 1.5 0 0 1 3 0v6c0 4-2.5 6-6 6-4 0-5.5-2-8.5-7.5-.6-1.3 1-2.3 2-1.2L8 14"/>`,
  language: svg`<circle cx="12" cy="12" r="9"/><path d="M3 12h18M12 3c3 3 3.5 6 3.5 9s-.5 6-3.5 9c-3-3-3.5-6-3.5-9s.5-6 3.5-9z"/>`,
  tool: svg`<path d="M14.5 6.5a4.5 4.5 0 0 1 6-3l-3 3v2.5H20l3-3"/><path d="M14.7 9.3L4.5 19.5"/><path d="M14.5 6.5a4.5 4.5 0 0 0 6 6c1.5-.7 2.5-2.5 2.3-4.5"/>`,
  practice: svg`<path d="M2.5 9L12 4.5 21.5 9 12 13.5zM6.5 11v5c3 2.5 8 2.5 11 0v-5M21.5 9v5.5"/>`,
  end: svg`<path d="M10 4H5.5A1.5 1.5 0 0 0 4 5.5v13A1.5 1.5 0 0 0 5.5 20H10M15 7.5l4.5 4.5-4.5 4.5M19 12H9"/>`,
  camera_off: svg`<path d="M3 3l18 18M8 7H4.5A1.5 1.5 0 0 0 3 8.5v9A1.5 1.5 0 0 0 4.5 19H18M10 5h5l2 2h2.5A1.5 1.5 0 0 1 21 8.5v8"/>`,
  truck: svg`<path d="M2.5 6h11v10.5h-11zM13.5 9.5H18l3.5 4v3h-8z"/><circle cx="7" cy="17.5" r="2"/><circle cx="17" cy="17.5" r="2"/>`,
  plus: svg`<path d="M12 5v14M5 12h14"/>`,
  minus: svg`<path d="M5 12h14"/>`,
};

const TURNS = new Set(['back', 'next', 'undo', 'end', 'erase']);

/** An icon that takes the text's colour and size; a word always stands beside it. @param {string} name */
export function icon(name) {
  return html`<svg class="icon ${TURNS.has(name) ? 'turns' : ''}" viewBox="0 0 24 24" fill="none" stroke="currentColor"
    stroke-width="2.2" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">${PATHS[name] ?? PATHS.info}</svg>`;
}

/** A face from 1 (bad) to 5 (good). @param {number} stars */
export function face(stars) {
  const mouths = ['M8 17c1-2.2 2.4-3 4-3s3 .8 4 3', 'M8.5 16.5c1-1 2.2-1.4 3.5-1.4s2.5.4 3.5 1.4', 'M8.5 15.5h7', 'M8.3 14.5c1 1.3 2.3 1.9 3.7 1.9s2.7-.6 3.7-1.9', 'M7.5 13.8h9c-.5 2.6-2.3 4-4.5 4s-4-1.4-4.5-4z'];
  return html`<svg class="face" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.7" stroke-linecap="round"
    stroke-linejoin="round" aria-hidden="true"><circle cx="12" cy="12" r="9.5"/><path d="M9 9.3v.6M15 9.3v.6"/><path d=${mouths[stars - 1]}/></svg>`;
}

/** A bar that fills from the start of the line. @param {number} part @param {number} whole @param {string} label */
export function progress(part, whole, label) {
  const share = whole > 0 ? Math.min(100, (100 * part) / whole) : 0;
  return html`<svg class="progress" viewBox="0 0 100 3" preserveAspectRatio="none" role="img" aria-label=${label}>
    <rect x="0" y="0" width=${share} height="3"/></svg>`;
}
