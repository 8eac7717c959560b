// @ts-check
import { distanceM, isPlace, turnDeg } from './distance.js';

/** @typedef {import('./distance.js').Here} Here */
/** @typedef {import('./distance.js').Place} Place */
/** @typedef {{center: [number, number], zoom: number, bearing: number}} Camera */

const CLOSEST = 16; // the street's name and the next corner
const FARTHEST = 12; // the town
const STEP = 0.5; // a picture that breathes with every fix draws the eye
const LATE = 0.7; // how far the wanted zoom moves away before the picture follows
const TURN_DEG = 45; // steps of a map that turns with the vehicle
const TURN_LATE_DEG = 32; // more than half a step: no flicker on a road between two steps
const EQUATOR_M = 40_075_017;
const TILE_PX = 512;

/**
 * Where to look from while driving: the vehicle in the middle, near enough that the next stop is just in the picture.
 * @param {{here: Here, next: Place | null, size: {width: number, height: number}, turning: boolean, before: Camera | null}} scene
 * @returns {Camera}
 */
export function following({ here, next, size, turning, before }) {
  return { center: [here.lon, here.lat], zoom: zoomFor(here, next, size, before), bearing: turning ? stepDeg(here.course_deg, before) : 0 };
}

/** @param {Here} here @param {Place | null} next @param {{width: number, height: number}} size @param {Camera | null} before */
function zoomFor(here, next, size, before) {
  if (!isPlace(next)) return before?.zoom ?? CLOSEST;
  const reachPx = Math.min(size.width, size.height) * 0.4;
  const metresPerPx = Math.max(distanceM(here, next), 1) / Math.max(reachPx, 1);
  const wanted = Math.log2((EQUATOR_M * Math.cos((here.lat * Math.PI) / 180)) / TILE_PX / metresPerPx);
  const kept = before && Math.abs(before.zoom + STEP / 2 - wanted) < LATE ? before.zoom : Math.floor(wanted / STEP) * STEP;
  return Math.min(CLOSEST, Math.max(FARTHEST, kept));
}

/** @param {number | null} course_deg @param {Camera | null} before */
function stepDeg(course_deg, before) {
  const kept = before?.bearing ?? 0;
  if (course_deg === null) return kept;
  const off = Math.abs(turnDeg(course_deg - kept + 180) - 180);
  return before && off < TURN_LATE_DEG ? kept : turnDeg(Math.round(course_deg / TURN_DEG) * TURN_DEG);
}
