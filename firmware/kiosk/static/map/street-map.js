// @ts-check
import { isOpen } from './ahead.js';
import { basemap } from './basemap.js';
import { following } from './camera.js';
import { isPlace } from './distance.js';

/** @typedef {import('./distance.js').Here} Here */
/** @typedef {import('./distance.js').Stop} Stop */
/** @typedef {import('./camera.js').Camera} Camera */
/**
 * What the map shows. `overview` shows every open stop; otherwise the vehicle stays in the middle.
 * @typedef {{here: Here | null, stops: Stop[], current: string | null, theme: 'day' | 'night', overview: boolean, turning: boolean}} Scene
 */

const STEP_MS = 1000; // a map that moves all the time keeps the eye (NHTSA 2012): one step a second, and no animation
const MARKS = { delivered: '✓', picked_up: '✓', partial: '!', failed: '✕' };

/** A drawn map in `box`, from the first `load` until `close()`; it asks for nothing but its file. */
export class StreetMap {
  /** @type {any} */
  #map;
  /** @type {any} */
  #gl;
  #archive;
  /** @type {Scene} */
  #scene;
  /** @type {Camera | null} */
  #camera = null;
  #theme = '';
  #framed = '';
  /** @type {Map<string, any>} */
  #markers = new Map();
  /** @type {any} */
  #vehicle = null;
  #drawnMs = -Infinity;
  #timer = 0;

  /**
   * @param {any} maplibre the library, loaded by whom draws @param {HTMLElement} box
   * @param {import('./archives.js').Archive} archive @param {Scene} scene
   * @param {{ready: () => void, lost: () => void}} tell `lost`: the picture is gone, for want of a file or of the graphics driver
   */
  constructor(maplibre, box, archive, scene, tell) {
    this.#gl = maplibre;
    this.#archive = archive;
    this.#scene = scene;
    this.#theme = scene.theme;
    this.#map = new maplibre.Map({
      container: box,
      style: basemap(scene.theme, archive.url),
      center: middle(scene, archive),
      zoom: 14,
      interactive: false,
      attributionControl: false, // the element around it shows it for good, without a button to fold it away
      fadeDuration: 0,
      renderWorldCopies: false,
      pixelRatio: 1,
      maxTileCacheSize: 24,
      refreshExpiredTiles: false,
      validateStyle: false,
    });
    this.#map.once('load', () => tell.ready());
    this.#map.on('webglcontextlost', () => tell.lost());
    this.#map.on('error', (/** @type {{error?: Error}} */ event) => console.warn('map:', event.error?.message));
    this.#draw();
  }

  /** Show this from the next step on. @param {Scene} scene */
  show(scene) {
    this.#scene = scene;
    const waitMs = Math.max(0, this.#drawnMs + STEP_MS - performance.now());
    this.#timer ||= window.setTimeout(() => this.#draw(), waitMs);
  }

  /** Give back the graphics memory, the workers and the tiles. */
  close() {
    window.clearTimeout(this.#timer);
    this.#markers.clear();
    this.#map.remove();
  }

  /** What is shown, for tests and the technician: names on the map and the camera. */
  shown() {
    const names = this.#map.queryRenderedFeatures({ filter: ['has', 'name'] }).filter((f) => f.layer.type === 'symbol');
    return { names: [...new Set(names.map((f) => f.properties.name))], camera: this.#camera, idle: this.#map.loaded() };
  }

  #draw() {
    this.#timer = 0;
    this.#drawnMs = performance.now();
    if (this.#theme !== this.#scene.theme) {
      this.#theme = this.#scene.theme;
      this.#map.setStyle(basemap(this.#scene.theme, this.#archive.url));
    }
    this.#look();
    this.#mark();
    this.#drive();
  }

  #look() {
    const { here, stops, current, overview, turning } = this.#scene;
    if (overview || !isPlace(here)) {
      this.#frame();
      return;
    }
    const next = stops.find((stop) => stop.stop_id === current);
    const { clientWidth: width, clientHeight: height } = this.#map.getContainer();
    this.#camera = following({ here, next: isPlace(next) ? next : null, size: { width, height }, turning, before: this.#camera });
    this.#map.jumpTo(this.#camera);
  }

  /** All open stops and the vehicle in one picture; it stays until the stops change. */
  #frame() {
    const open = this.#scene.stops.filter((stop) => isOpen(stop.state) && isPlace(stop));
    const key = open.map((stop) => stop.stop_id).join();
    if (!open.length || key === this.#framed) return;
    this.#framed = key;
    const bounds = new this.#gl.LngLatBounds();
    for (const place of [...open, this.#scene.here]) if (isPlace(place)) bounds.extend([place.lon, place.lat]);
    this.#map.fitBounds(bounds, { padding: 56, maxZoom: 15, animate: false });
  }

  #mark() {
    const wanted = new Set();
    for (const stop of this.#scene.stops) {
      if (!isPlace(stop)) continue;
      const current = stop.stop_id === this.#scene.current;
      const key = [stop.stop_id, stop.state, current, stop.lat, stop.lon].join();
      wanted.add(key);
      if (!this.#markers.has(key)) this.#markers.set(key, this.#pin(stop, current));
    }
    for (const [key, marker] of this.#markers) {
      if (wanted.has(key)) continue;
      marker.remove();
      this.#markers.delete(key);
    }
  }

  /** @param {Stop} stop @param {boolean} current */
  #pin(stop, current) {
    const element = document.createElement('div');
    element.className = 'stop';
    element.dataset.state = stop.state;
    element.toggleAttribute('data-current', current);
    element.textContent = String(stop.no);
    const mark = MARKS[/** @type {keyof typeof MARKS} */ (stop.state)];
    if (mark) element.dataset.mark = mark;
    return new this.#gl.Marker({ element }).setLngLat([stop.lon, stop.lat]).addTo(this.#map);
  }

  #drive() {
    const { here } = this.#scene;
    if (!isPlace(here)) {
      this.#vehicle?.remove();
      this.#vehicle = null;
      return;
    }
    this.#vehicle ??= new this.#gl.Marker({ element: document.createElement('div'), rotationAlignment: 'map' });
    this.#vehicle.getElement().classList.add('here');
    this.#vehicle.getElement().classList.toggle('going', here.course_deg !== null);
    this.#vehicle.setRotation(here.course_deg ?? 0).setLngLat([here.lon, here.lat]).addTo(this.#map);
  }
}

/** @param {Scene} scene @param {import('./archives.js').Archive} archive */
function middle({ here, stops }, archive) {
  const place = [here, ...stops].find(isPlace);
  return place ? [place.lon, place.lat] : [(archive.west + archive.east) / 2, (archive.south + archive.north) / 2];
}
