// @ts-check
import { LitElement, css, html } from '../vendor/lit.js';
import { archives, covering } from './archives.js';
import './rp-strip.js';
import { webgl } from './webgl.js';

/** @typedef {import('./archives.js').Archive} Archive */

/**
 * The way ahead on a street map, where the unit has a map file of the area and hardware to draw it; otherwise, and until it is drawn, the strip.
 *
 * `here`, `stops` and `current` are those of the firmware's view. `theme` is "day" or "night", `overview` shows all open stops instead of the
 * vehicle, `turning` turns the picture in steps with the course (otherwise north is up), `force` draws without hardware too (for tests).
 */
export class RoadMap extends LitElement {
  static properties = {
    here: { attribute: false },
    stops: { attribute: false },
    current: { attribute: false },
    theme: { reflect: true },
    dir: { reflect: true },
    overview: { type: Boolean },
    turning: { type: Boolean },
    force: { type: Boolean },
    drawn: { type: Boolean, reflect: true },
    owed: { state: true },
  };

  static styles = css`
    :host { display: block; position: relative; overflow: hidden; min-block-size: 0; background: var(--surface, #fff); isolation: isolate; }
    .map, rp-strip { position: absolute; inset: 0; }
    :host(:not([drawn])) .map, :host(:not([drawn])) .owed { visibility: hidden; }
    :host([drawn]) rp-strip { opacity: 0; } /* not seen, but still what is read aloud */
    .map canvas { position: absolute; inset-block-start: 0; left: 0; outline: none; }
    .maplibregl-canvas-container { position: absolute; inset: 0; }
    .maplibregl-control-container { display: none; }
    .maplibregl-marker { position: absolute; top: 0; left: 0; will-change: transform; }
    .owed { position: absolute; inset-block-end: 0; inset-inline-end: 0; padding: 0.15em 0.5em; font-size: max(12px, calc(var(--mm, 5px) * 2.2)); }
    .owed { background: color-mix(in srgb, var(--surface, #fff) 82%, transparent); color: var(--ink, #0e141a); }
    .stop { inline-size: calc(var(--large, 30px) * 1.5); block-size: calc(var(--large, 30px) * 1.5); border-radius: 50%; display: grid; }
    .stop { place-items: center; font-size: calc(var(--large, 30px) * 0.75); font-weight: 700; font-variant-numeric: tabular-nums; }
    .stop { background: var(--surface, #fff); color: var(--ink, #0e141a); border: 3px solid currentColor; box-sizing: border-box; }
    .stop[data-mark] { color: var(--quiet, #414d59); scale: 0.8; opacity: 0.9; }
    .stop[data-mark]::after { content: attr(data-mark); position: absolute; inset-block-start: -0.4em; inset-inline-end: -0.4em; }
    .stop[data-mark]::after { background: var(--ok, #0b6138); color: var(--on-ok, #fff); border-radius: 50%; inline-size: 1.2em; text-align: center; }
    .stop[data-state="failed"]::after { background: var(--bad, #a3131c); color: var(--on-bad, #fff); }
    .stop[data-state="partial"]::after { background: var(--warn, #ffc933); color: var(--on-warn, #221a00); }
    .stop[data-current] { background: var(--accent, #0a4aa8); color: var(--on-accent, #fff); scale: 1.25; z-index: 2; }
    .here { inline-size: calc(var(--large, 30px) * 1.7); block-size: calc(var(--large, 30px) * 1.7); z-index: 3; }
    .here::before { content: ""; position: absolute; inset: 18%; border-radius: 50%; background: var(--ink, #0e141a); border: 4px solid var(--surface, #fff); }
    .here.going::before { inset: 0; border: 0; border-radius: 0; clip-path: polygon(50% 0, 92% 100%, 50% 78%, 8% 100%); }
    .here.going { filter: drop-shadow(0 0 2px var(--surface, #fff)) drop-shadow(0 0 2px var(--surface, #fff)); }
  `;

  /** @type {import('./street-map.js').StreetMap | null} */
  #map = null;
  /** @type {Archive | null} */
  #shown = null;
  /** @type {Promise<void> | null} */
  #opening = null;
  /** @type {{maplibre: any, StreetMap: typeof import('./street-map.js').StreetMap, all: Archive[]} | null} */
  #library = null;
  #lost = false;

  constructor() {
    super();
    /** @type {import('./distance.js').Here | null} */
    this.here = null;
    /** @type {import('./distance.js').Stop[]} */
    this.stops = [];
    /** @type {string | null} */
    this.current = null;
    /** @type {'day' | 'night'} */
    this.theme = 'day';
    this.dir = '';
    this.overview = false;
    this.turning = false;
    this.force = new URLSearchParams(location.search).get('map') === 'force';
    this.drawn = false;
    this.owed = ''; // to whom the map's data belongs
  }

  connectedCallback() {
    super.connectedCallback();
    this.requestUpdate();
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.#close();
  }

  render() {
    return html`
      <div class="map" aria-hidden="true"></div>
      <rp-strip .here=${this.here} .stops=${this.stops} .current=${this.current} .dir=${this.dir}></rp-strip>
      <span class="owed"><bdi>${this.owed}</bdi></span>`;
  }

  updated() {
    if (this.#library) this.#show();
    else this.#opening ??= this.#open().catch((error) => console.warn('map:', error.message));
  }

  /** What the map shows now; null while it is the strip. */
  get map() {
    return this.drawn ? this.#map : null;
  }

  /** Load the library only where it can draw and has something to draw: a strip costs 30 kB, the library 1.6 MB. */
  async #open() {
    if (!this.force && !webgl().usable) return;
    const { PMTiles, Protocol } = await import('../vendor/pmtiles/pmtiles.js');
    const all = await archives(PMTiles);
    if (!all.length) return;
    const [maplibre, { StreetMap }] = await Promise.all([import('../vendor/maplibre/maplibre-gl.mjs'), import('./street-map.js')]);
    const protocol = new Protocol({ metadata: false });
    for (const { source } of all) protocol.add(source);
    maplibre.addProtocol('pmtiles', protocol.tile);
    maplibre.setWorkerCount(1);
    this.#library = { maplibre, StreetMap, all };
    this.#show();
  }

  #show() {
    if (!this.isConnected || !this.#library || this.#lost) return;
    const { all, maplibre, StreetMap } = this.#library;
    const wanted = covering(all, this.here ?? this.stops.find((stop) => stop.stop_id === this.current) ?? this.stops[0]);
    if (wanted !== this.#shown) this.#close();
    if (!wanted) return;
    const { here, stops, current, theme, overview, turning } = this;
    const scene = { here, stops, current, theme, overview, turning };
    if (this.#map) {
      this.#map.show(scene);
      return;
    }
    const box = /** @type {HTMLElement} */ (this.renderRoot.querySelector('.map'));
    const tell = { ready: () => (this.drawn = true), lost: () => this.#giveUp() };
    this.#shown = wanted;
    this.owed = wanted.attribution;
    try {
      this.#map = new StreetMap(maplibre, box, wanted, scene, tell);
    } catch (error) {
      console.warn('map:', error);
      this.#giveUp();
    }
  }

  /** The graphics driver refused a picture or took it away; it would do so again. */
  #giveUp() {
    this.#lost = true;
    this.#close();
  }

  #close() {
    this.#map?.close();
    this.#map = null;
    this.#shown = null;
    this.drawn = false;
  }
}

customElements.define('rp-map', RoadMap);
