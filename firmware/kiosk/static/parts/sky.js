// @ts-check
import { html, svg, css } from '../vendor/lit.js';
import { t } from '../i18n.js';

/**
 * A satellite as GET /api/v1/diag gives it.
 * @typedef {{system: string, prn: number, elevation_deg: number | null, azimuth_deg: number | null, snr_db: number | null, used: boolean}} Satellite
 */

/** How RINEX calls the systems: the numbers alone are not unique. @type {Record<string, string>} */
const LETTERS = { GPS: 'G', GLONASS: 'R', Galileo: 'E', BeiDou: 'C', QZSS: 'J', NavIC: 'I', SBAS: 'S' };
const STRONG_DB = 35; // a clear sky gives 45 to 50
const WEAK_DB = 25; // under it a satellite helps little
const FULL_DB = 50;
const HORIZON = 41; // the horizon's radius in a picture of 100
const ABREAST = 14; // bars in one line: a label under each stays legible on 84 mm
const CELL_MM = 6;
const ALL_MM = 30; // what the lines share, each with its figures and names
const LEAST_MM = 12;
const OVER_MM = 3.6;
const UNDER_MM = 3.8;

export const skyLook = css`
  svg.sky, svg.bars { display: block; direction: ltr; }
  svg.sky text, svg.bars text { font-weight: 600; fill: var(--ink); text-anchor: middle; }
  svg.sky text { font-size: 4.9px; paint-order: stroke; stroke: var(--surface); stroke-width: 1.2px; stroke-linejoin: round; }
  svg.sky text.side { font-size: 6px; font-weight: 800; fill: var(--quiet); stroke: var(--ground); }
  svg.sky .ground { fill: var(--surface); stroke: var(--edge); stroke-width: 0.7px; }
  svg.sky .ring { fill: none; stroke: var(--hair); stroke-width: 0.5px; }
  svg.bars text { font-size: 2.9px; }
  svg.bars .floor { stroke: var(--edge); stroke-width: 0.3px; }
  .mark { stroke-width: 0.9px; stroke-linejoin: round; fill: none; }
  .mark.strong { stroke: var(--ok); } .mark.fair { stroke: var(--warn-ink); } .mark.weak { stroke: var(--bad); } .mark.unheard { stroke: var(--quiet); }
  .mark.used.strong { fill: var(--ok); } .mark.used.fair { fill: var(--warn-ink); } .mark.used.weak { fill: var(--bad); }
  svg.bars .mark { stroke-width: 0.4px; }
  .legend { display: flex; flex-wrap: wrap; column-gap: calc(var(--mm) * 2); row-gap: 0; font-size: var(--small); font-weight: 600; color: var(--quiet); }
  .legend span { display: inline-flex; align-items: center; gap: calc(var(--mm) * 0.8); white-space: nowrap; }
  .legend svg { inline-size: calc(var(--mm) * 3.4); block-size: calc(var(--mm) * 3.4); }
`;

/** @param {number | null} snr_db */
function strength(snr_db) {
  if (!snr_db) return 'unheard';
  return snr_db >= STRONG_DB ? 'strong' : snr_db >= WEAK_DB ? 'fair' : 'weak';
}

/** @param {Satellite} one */
const label = ({ system, prn }) => `${LETTERS[system] ?? ''}${prn}`;

/** @type {Record<string, (x: number, y: number) => string>} a shape for each strength: colour alone does not tell everybody */
const SHAPES = {
  strong: (x, y) => `M${x - 2.6} ${y}a2.6 2.6 0 1 0 5.2 0a2.6 2.6 0 1 0 -5.2 0z`,
  fair: (x, y) => `M${x - 2.2} ${y - 2.2}h4.4v4.4h-4.4z`,
  weak: (x, y) => `M${x} ${y - 2.7}l2.7 4.8h-5.4z`,
  unheard: (x, y) => `M${x - 1.6} ${y - 1.6}l3.2 3.2m0 -3.2l-3.2 3.2`,
};

/** @param {string} kind @param {boolean} used @param {number} x @param {number} y */
const mark = (kind, used, x, y) => svg`<path class="mark ${kind} ${used ? 'used' : ''}" d=${SHAPES[kind](x, y)}/>`;

/** The sky from below, north up, the zenith in the middle; the world is never mirrored. @param {Satellite[]} sky */
export function plot(sky) {
  const placed = sky.filter(({ elevation_deg, azimuth_deg }) => elevation_deg !== null && azimuth_deg !== null).map((one) => ({ one, ...place(one) }));
  const sides = [['north', 0, -46], ['east', 46, 0], ['south', 0, 45.4], ['west', -46, 0]];
  return html`<svg class="sky" viewBox="-50 -50 100 100" role="img" aria-label=${counted(sky)}>
    <circle class="ground" r=${HORIZON}/><circle class="ring" r=${HORIZON * 2 / 3}/><circle class="ring" r=${HORIZON / 3}/>
    <path class="ring" d="M-${HORIZON} 0H${HORIZON}M0 -${HORIZON}V${HORIZON}"/>
    ${sides.map(([side, x, y]) => svg`<text class="side" x=${x} y=${Number(y) + 1.9}>${t(`sky.${side}`)}</text>`)}
    ${placed.map(({ one, x, y }) => mark(strength(one.snr_db), one.used, x, y))}
    ${labelled(placed).map(({ text, x, y }) => svg`<text x=${x} y=${y + 1.7}>${text}</text>`)}</svg>`;
}

/** @param {Satellite} one @returns {{x: number, y: number}} */
function place({ elevation_deg, azimuth_deg }) {
  const out = HORIZON * (1 - Math.max(0, Number(elevation_deg)) / 90);
  const turn = Number(azimuth_deg) * Math.PI / 180;
  return { x: round(out * Math.sin(turn)), y: round(-out * Math.cos(turn)) };
}

/** Each label under, over or beside its mark, wherever it covers least. @param {{one: Satellite, x: number, y: number}[]} placed */
function labelled(placed) {
  /** @type {{text: string, x: number, y: number}[]} */
  const done = [];
  for (const { one, x, y } of placed) {
    const covers = (/** @type {{x: number, y: number}} */ at) => placed.filter((other) => Math.abs(other.x - at.x) < 7 && Math.abs(other.y - at.y) < 4.6).length
      + 2 * done.filter((other) => Math.abs(other.x - at.x) < 9.5 && Math.abs(other.y - at.y) < 4.6).length + (Math.hypot(at.x, at.y) > HORIZON ? 1 : 0);
    const spots = [{ x, y: y + 5.2 }, { x, y: y - 5.2 }, { x: x + 7.6, y }, { x: x - 7.6, y }];
    const best = spots.reduce((least, spot) => (covers(spot) < covers(least) ? spot : least));
    done.push({ text: label(one), x: round(best.x), y: round(best.y) });
  }
  return done;
}

/** How strongly each satellite is heard, as a bar with its figure over and its name under it. @param {Satellite[]} sky */
export function bars(sky) {
  const heard = sky.filter(({ snr_db }) => snr_db);
  const lines = Math.max(1, Math.ceil(heard.length / ABREAST));
  const high = Math.max(LEAST_MM, ALL_MM / lines);
  const floor = (/** @type {number} */ line) => (line + 1) * high - UNDER_MM;
  return html`<svg class="bars" viewBox="0 0 ${ABREAST * CELL_MM} ${lines * high}" role="img"
    aria-label="${t('diag.strength')}: ${heard.map((one) => `${label(one)} ${one.snr_db}`).join(', ')}">
    ${heard.map((one, n) => bar(one, (n % ABREAST + 0.5) * CELL_MM, floor(Math.floor(n / ABREAST)), high - OVER_MM - UNDER_MM))}
    ${Array.from({ length: lines }, (_, line) => svg`<path class="floor" d="M0 ${floor(line)}h${ABREAST * CELL_MM}"/>`)}</svg>`;
}

/** @param {Satellite} one @param {number} x its middle @param {number} floor @param {number} room of the strongest */
function bar(one, x, floor, room) {
  const high = room * Math.min(1, Number(one.snr_db) / FULL_DB);
  return svg`<rect class="mark ${strength(one.snr_db)} ${one.used ? 'used' : ''}" x=${x - 1.9} y=${floor - high} width="3.8" height=${high}/>
    <text x=${x} y=${floor - high - 0.8}>${one.snr_db}</text><text x=${x} y=${floor + 3}>${label(one)}</text>`;
}

/** What shapes and filling mean. */
export function legend() {
  const kinds = [['strong', `≥ ${STRONG_DB}`], ['fair', `${WEAK_DB}–${STRONG_DB - 1}`], ['weak', `< ${WEAK_DB}`]];
  const sign = (/** @type {unknown} */ drawn) => html`<svg viewBox="-3.5 -3.5 7 7" aria-hidden="true">${drawn}</svg>`;
  return html`<p class="legend">${kinds.map(([kind, text]) => html`<span>${sign(mark(kind, false, 0, 0))}<bdi dir="ltr">${text}</bdi></span>`)}
    <bdi dir="ltr">dB-Hz</bdi><span>${sign(mark('strong', true, 0, 0))}${t('diag.sky_used')}</span></p>`;
}

/** What each system gives: used of seen. @param {Satellite[]} sky @returns {string[]} */
export function systems(sky) {
  const names = [...new Set(sky.map(({ system }) => system))];
  return names.map((name) => {
    const own = sky.filter(({ system }) => system === name);
    return `${name} ${own.filter(({ used }) => used).length}/${own.length}`;
  });
}

/** @param {Satellite[]} sky */
export function counted(sky) {
  return t('diag.in_view', { n: sky.length, used: sky.filter(({ used }) => used).length });
}

/** @param {number} value */
const round = (value) => Math.round(value * 100) / 100;
