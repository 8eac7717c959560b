// @ts-check
import { distance } from '../format.js';
import { t } from '../i18n.js';
import { LitElement, css, html, nothing, svg } from '../vendor/lit.js';
import { ahead } from './ahead.js';

/** @typedef {import('./distance.js').Stop} Stop */
/** @typedef {import('./ahead.js').Ahead} Ahead */
/** @typedef {{stop: Stop, leg_m: number | null}} Leg */
/** Pixels: the box, and `em`, the height of text that is read while driving. `x` mirrors where the language runs from right to left.
 * @typedef {{width: number, height: number, em: number, family: string, x: (px: number) => number}} Box */

const STOPS = 5;
const SMALLEST = 0.5; // of the large letters: an address, read in a parked van
const AIRY = 1.15; // stops are drawn a little smaller than would just fit
const ARROW = 'M0-1 .74.86 0 .48-.74.86Z'; // one unit from its middle to its tip
const PIN = 'M0 1C-.16.62-.72.12-.72-.3a.72.72 0 0 1 1.44 0C.72.12.16.62 0 1Z';
const TICK = 'M-.62.06-.18.5.66-.42';

/** The way ahead without streets: where the next stop lies as seen from the driver's seat, how far, and what comes after it. */
export class Strip extends LitElement {
  static properties = {
    here: { attribute: false },
    stops: { attribute: false },
    current: { attribute: false },
    dir: { reflect: true },
  };

  static styles = css`
    :host { display: block; position: relative; overflow: hidden; min-block-size: 0; contain: strict; font-size: var(--large, 30px); }
    svg { position: absolute; inset: 0; inline-size: 100%; block-size: 100%; font-weight: 700; font-variant-numeric: tabular-nums; }
    text { fill: var(--ink, #0e141a); unicode-bidi: plaintext; dominant-baseline: central; }
    .quiet { fill: var(--quiet, #414d59); font-weight: 600; }
    .line { stroke: var(--edge, #8592a0); stroke-linecap: round; }
    .road { stroke: var(--accent, #0a4aa8); stroke-linecap: round; }
    .face { fill: var(--surface, #fff); stroke: var(--hair, #cbd4dd); }
    .tick { stroke: var(--edge, #8592a0); stroke-linecap: round; }
    .nose, .arrow, .next { fill: var(--accent, #0a4aa8); }
    .next + text { fill: var(--on-accent, #fff); }
    .stop { fill: var(--surface, #fff); stroke: var(--ink, #0e141a); }
    .done { fill: none; stroke: var(--ok, #0b6138); stroke-linecap: round; stroke-linejoin: round; }
    .hole { fill: var(--surface, #fff); }
  `;

  constructor() {
    super();
    /** @type {import('./distance.js').Here | null} */
    this.here = null;
    /** @type {Stop[]} */
    this.stops = [];
    /** @type {string | null} */
    this.current = null;
    this.dir = '';
    this.watch = new ResizeObserver(() => this.requestUpdate());
  }

  connectedCallback() {
    super.connectedCallback();
    this.watch.observe(this);
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.watch.disconnect();
  }

  render() {
    const { clientWidth: width, clientHeight: height } = this;
    if (!width || !height) return nothing;
    const { fontSize, fontFamily: family, direction } = getComputedStyle(this);
    const mirrored = (this.dir || direction) === 'rtl';
    const box = { width, height, em: Number.parseFloat(fontSize), family, x: (/** @type {number} */ px) => (mirrored ? width - px : px) };
    const way = ahead(this.here, this.stops, this.current, STOPS);
    const drawn = !way.legs.length ? this.end(box) : width > height * 1.9 ? this.wide(box, way) : this.tall(box, way);
    return html`<svg role="img" aria-label=${this.told(way)} viewBox="0 0 ${width} ${height}" direction=${mirrored ? 'rtl' : 'ltr'}>${drawn}</svg>`;
  }

  /** The same in words, for whom the picture is read to. @param {Ahead} way */
  told({ legs, arrived }) {
    if (!legs.length) return t('map.done');
    const [first, ...rest] = legs;
    const then = rest.map(({ stop }) => stop.no).join(', ') || '–';
    return t(arrived ? 'map.arrived' : 'map.next', { no: first.stop.no, distance: distance(first.leg_m), then });
  }

  /** From the vehicle along one line to the stops, in the direction of reading. @param {Box} box @param {Ahead} way */
  wide(box, way) {
    const { width, height, em, x } = box;
    const y = height * 0.54;
    const pad = em * 0.6;
    const dial = Math.max(em * 1.5, Math.min(height * 0.41, width * 0.11));
    const [first, ...later] = way.legs;
    const told = lead(way);
    const size = Math.min(em * 1.7, dial, y * 0.75, Math.max(em * 1.1, width * 0.07)) * (first.leg_m === null ? 0.5 : 1);
    const start = pad + dial * 2;
    const next = { at: start + Math.max(em, textWidth(box, told, size)) + em * 1.9, r: em * 1.2 };
    const widest = Math.max(0, ...later.map((leg) => textWidth(box, distance(leg.leg_m), em * 0.66)));
    const row = fitted(width - pad - next.at - next.r, later.length, em, 2.3, widest + em * 0.2, way.more);
    const at = later.slice(0, row.count).map((_, n) => next.at + next.r + row.pitch * (n + 0.6));
    const end = at.at(-1) ?? next.at;
    const more = way.more + later.length - row.count;
    return svg`
      ${end > next.at || more ? line('line', em, x(next.at), y, x(end + (more ? Math.max(row.em, at.length ? 0 : next.r) + em * 0.5 : 0)), y) : nothing}
      ${line('road', em, x(start), y, x(next.at), y)}
      ${label('', x((start + next.at - next.r) / 2), y - Math.max(size * 0.72, em * 0.75), size, told)}
      ${at.map((mid, n) => label('quiet', x((mid + (at[n - 1] ?? next.at)) / 2), y - em * 1.55, em * 0.66, distance(later[n].leg_m)))}
      ${at.map((mid, n) => node('stop', x(mid), y, row.em * 0.92, later[n].stop.no))}
      ${node('next', x(next.at), y, next.r, first.stop.no)}
      ${more ? label('quiet', x(end + Math.max(row.em, at.length ? 0 : next.r) + em * 0.75), y - em * 0.85, em * 0.75, `+${more}`) : nothing}
      ${this.dial(x(pad + dial), y, dial, way)}`;
  }

  /** The same from top to bottom, with room for what the stops are called. @param {Box} box @param {Ahead} way */
  tall(box, way) {
    const { width, height, em, x } = box;
    const pad = em * 0.5;
    const dial = Math.max(em * 1.3, Math.min(width * 0.21, height * 0.17));
    const axis = pad + dial;
    const [first, ...later] = way.legs;
    const top = pad + dial * 2 + em * 1.45;
    const row = fitted(height - pad * 0.6 - top - em * 1.2, later.length, em, 2.1, 0, way.more);
    const at = [top, ...later.slice(0, row.count).map((_, n) => top + em * 1.2 + row.pitch * (n + 0.5))];
    const end = at[at.length - 1];
    const more = way.more + later.length - row.count;
    const told = lead(way);
    const room = width - axis - dial - pad * 2.4;
    const size = Math.min(em * (first.leg_m === null ? 1 : 2.2), (room / textWidth(box, told, 1)) * 0.98);
    return svg`
      ${line('line', em, x(axis), top, x(axis), end + (more ? (at.length > 1 ? row.em : em * 1.2) + em * 0.4 : 0))}
      ${line('road', em, x(axis), pad + dial, x(axis), top)}
      <text x=${x(axis + dial + pad * 1.4)} y=${pad + dial} font-size=${size}>${told}</text>
      ${at.map((y, n) => this.beside(box, way.legs[n], axis + em * 1.6, y, n > 0))}
      ${at.map((y, n) => node(n ? 'stop' : 'next', x(axis), y, n ? row.em * 0.92 : em * 1.2, way.legs[n].stop.no))}
      ${more ? svg`<text class="quiet" x=${x(axis + em * 0.6)} y=${end + (at.length > 1 ? row.em : em * 1.2) + em * 0.4} font-size=${em * 0.66}>+${more}</text>` : nothing}
      ${this.dial(x(axis), pad + dial, dial, way)}`;
  }

  /** A stop's address where the screen knows it, and how far it is from the one before. @param {Box} box @param {Leg} leg @param {number} from
   * @param {number} y @param {boolean} measured */
  beside(box, { stop, leg_m }, from, y, measured) {
    const { width, em, x } = box;
    const far = measured ? distance(leg_m) : '';
    const end = width - em * 0.4;
    const room = end - from - (measured ? textWidth(box, far, em * 0.7) + em * 0.5 : 0);
    const named = stop.address ? this.named(box, stop.address, from, y, room) : nothing;
    return svg`${named}<text class="quiet" x=${x(stop.address ? end : from)} y=${y} font-size=${em * 0.7} text-anchor=${stop.address ? 'end' : 'start'}>${far}</text>`;
  }

  /** As large as it fits on one line; half an address is a riddle, so the whole one or none. @param {Box} box @param {string} address
   * @param {number} from @param {number} y @param {number} room */
  named(box, address, from, y, room) {
    const size = Math.min(0.85 * box.em, (room / textWidth(box, address, 1)) * 0.98);
    return size < SMALLEST * box.em ? nothing : svg`<text x=${box.x(from)} y=${y} font-size=${size}>${address}</text>`;
  }

  /** A face with an arrow to the next stop. Up is ahead, marked by a nose; up is north, marked so, while the course is not known.
   * @param {number} x @param {number} y @param {number} r @param {Ahead} way */
  dial(x, y, r, way) {
    return svg`<g transform="translate(${x} ${y})">
      <circle class="face" r=${r * 0.97} stroke-width=${r * 0.06}></circle>
      ${[45, 90, 135, 180, 225, 270, 315].map((deg) => svg`<path class="tick" d="M0 ${-r * 0.86}V${-r * 0.76}" stroke-width=${r * 0.05} transform="rotate(${deg})"></path>`)}
      ${way.up === 'course' ? svg`<path class="nose" d="M0 ${-r * 0.93}l${r * 0.14} ${r * 0.19}h${-r * 0.28}Z"></path>` : label('', 0, -r * 0.75, r * 0.3, t('map.north'))}
      ${this.pointer(r, way)}
    </g>`;
  }

  /** @param {number} r @param {Ahead} way */
  pointer(r, way) {
    if (way.arrived) return svg`<g transform="translate(0 ${-r * 0.02}) scale(${r * 0.56})"><path class="arrow" d=${PIN}></path><circle class="hole" cy="-.3" r=".27"></circle></g>`;
    if (way.arrow_deg === null) return label('quiet', 0, r * 0.06, r, '?');
    return svg`<path class="arrow" d=${ARROW} transform="rotate(${way.arrow_deg}) scale(${r * 0.6})"></path>`;
  }

  /** @param {Box} box */
  end({ width, height, em }) {
    const r = Math.min(height * 0.22, em * 2.4);
    return svg`
      <path class="done" d=${TICK} stroke-width=".2" transform="translate(${width / 2} ${height / 2 - em * 0.6}) scale(${r})"></path>
      ${label('', width / 2, height / 2 + r * 0.8 + em * 0.2, em, t('map.done'))}`;
  }
}

/** What stands on the first leg. @param {Ahead} way */
function lead({ legs, arrived }) {
  if (arrived) return '';
  return legs[0].leg_m === null ? t('map.no_position') : distance(legs[0].leg_m);
}

const ruler = document.createElement('canvas').getContext('2d');

/**
 * How many stops fit, how large, and how far apart: smaller ones rather than fewer, but never so small that they are not read in a parked van.
 * @param {number} free pixels along the line @param {number} wanted @param {number} em @param {number} ems a stop takes of its own size
 * @param {number} least pixels that a stop takes at any size @param {number} hidden how many are not shown in any case
 */
function fitted(free, wanted, em, ems, least, hidden) {
  const tail = em * 0.9; // for the number of those that are not shown
  const size = (/** @type {number} */ room) => Math.min(em, Math.max(em * 0.62, room / Math.max(1, wanted) / ems / AIRY));
  const fit = (/** @type {number} */ room) => Math.max(0, Math.floor(room / Math.max(size(room) * ems, least)));
  const room = hidden || fit(free) < wanted ? free - tail : free;
  const count = Math.min(wanted, fit(room));
  return { count, em: size(room), pitch: Math.min(room / Math.max(1, count), Math.max(size(room) * ems, least) * 1.9) };
}

/** How wide a text will be. @param {{family: string}} box @param {string} text @param {number} size */
function textWidth({ family }, text, size) {
  if (!ruler) return 0;
  ruler.font = `700 100px ${family}`;
  return (ruler.measureText(text).width * size) / 100;
}

/** @param {string} kind @param {number} x @param {number} y @param {number} size @param {string} text */
function label(kind, x, y, size, text) {
  return svg`<text class=${kind} x=${x} y=${y} font-size=${size} text-anchor="middle">${text}</text>`;
}

/** @param {string} kind @param {number} x @param {number} y @param {number} r @param {number} no */
function node(kind, x, y, r, no) {
  const size = r * (String(no).length > 2 ? 0.85 : 1.05);
  return svg`<circle class=${kind} cx=${x} cy=${y} r=${r} stroke-width=${r * 0.11}></circle>${label('', x, y, size, String(no))}`;
}

/** @param {string} kind @param {number} em @param {number} x1 @param {number} y1 @param {number} x2 @param {number} y2 */
function line(kind, em, x1, y1, x2, y2) {
  return svg`<path class=${kind} d="M${x1} ${y1}L${x2} ${y2}" stroke-width=${em * (kind === 'road' ? 0.36 : 0.24)}></path>`;
}

customElements.define('rp-strip', Strip);
