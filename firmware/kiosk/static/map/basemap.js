// @ts-check
import { layers, namedFlavor } from '../vendor/basemaps/basemaps.js';

// Left out: icons need a sprite, and what a driver does not look for only hides what he does.
const OMITTED = new Set(['pois', 'roads_shields', 'roads_oneway', 'address_label', 'water_waterway_label', 'places_region', 'places_country']);
// The styles are made for a desk in daylight; through a windscreen streets and names need to stand out from the ground.
const COLOURS = {
  day: {
    background: '#dfe4e9', earth: '#e9edf1', water: '#9cc7e6', park_a: '#c9e2cb', park_b: '#c9e2cb', buildings: '#d7dde3',
    minor_a: '#ffffff', minor_b: '#ffffff', minor_service: '#ffffff', major: '#ffffff', highway: '#ffe19a', link: '#ffe19a',
    minor_casing: '#aab4be', major_casing_early: '#8e99a5', major_casing_late: '#8e99a5', highway_casing_early: '#b08a2a', highway_casing_late: '#b08a2a',
    ...labels('#27313b', '#ffffff'),
  },
  night: {
    background: '#0b0d10', earth: '#0f1318', water: '#12304a', park_a: '#12241a', park_b: '#12241a', buildings: '#1a2027',
    minor_a: '#3c4753', minor_b: '#3c4753', minor_service: '#2d3640', major: '#566472', highway: '#8a7638', link: '#8a7638',
    minor_casing: '#0b0d10', major_casing_early: '#0b0d10', major_casing_late: '#0b0d10', highway_casing_early: '#0b0d10', highway_casing_late: '#0b0d10',
    ...labels('#cfd7df', '#0b0d10'),
  },
};
const LARGER = 1.45; // the style's text is made for a desk; 17 px and more on a 7-inch panel

/**
 * A style of streets and names for one map file: no glyphs and no sprite, so the browser's own fonts draw every script.
 * Names are those of the place itself, as they stand on its signs and in the run's addresses.
 * @param {'day' | 'night'} theme @param {string} url of the PMTiles file
 */
export function basemap(theme, url) {
  const flavor = { ...namedFlavor(theme === 'night' ? 'dark' : 'light'), ...COLOURS[theme] };
  return {
    version: 8,
    sources: { streets: { type: 'vector', url: `pmtiles://${url}` } },
    layers: layers('streets', flavor, { lang: 'en' })
      .filter((layer) => !OMITTED.has(layer.id))
      .map((layer) => (layer.type === 'symbol' ? named(layer) : layer)),
  };
}

/** @param {any} layer */
function named(layer) {
  const { 'icon-image': _icon, 'text-size': size, ...layout } = layer.layout;
  return {
    ...layer,
    layout: { ...layout, 'text-field': ['get', 'name'], 'text-size': larger(size) },
    paint: { ...layer.paint, 'text-halo-width': 2 },
  };
}

/** A size times LARGER; the numbers of an interpolation are at every second place from the fifth on. @param {any} size @returns {any} */
function larger(size) {
  if (typeof size === 'number') return size * LARGER;
  if (size[0] === 'interpolate') return size.map((part, n) => (n >= 4 && n % 2 === 0 ? larger(part) : part));
  return ['*', LARGER, size];
}

/** @param {string} ink @param {string} halo */
function labels(ink, halo) {
  const names = ['roads_label_minor', 'roads_label_major', 'city_label', 'subplace_label', 'state_label'];
  return Object.fromEntries(names.flatMap((name) => [[name, ink], [`${name}_halo`, halo]]));
}
