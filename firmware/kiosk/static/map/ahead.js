// @ts-check
import { bearingDeg, distanceM, isPlace, turnDeg } from './distance.js';

/** @typedef {import('./distance.js').Here} Here */
/** @typedef {import('./distance.js').Stop} Stop */

export const ARRIVED_M = 30; // nearer than this a direction says nothing: receiver and address err by as much
const ARROW_STEP_DEG = 15; // the arrow rests between steps instead of trembling with every fix

/**
 * What lies ahead: the next stops in order, `leg_m` from the one before (the first: from the vehicle, as the screen says it where it does),
 * null where a place is unknown.
 * `arrow_deg` turns the arrow clockwise from straight up; up is ahead when `up` is "course", north when it is "north".
 * @typedef {{legs: {stop: Stop, leg_m: number | null}[], more: number, arrow_deg: number | null, up: 'course' | 'north', arrived: boolean}} Ahead
 */

/** @param {string} state whether the driver still has to go there */
export function isOpen(state) {
  return state === 'open' || state === 'arrived';
}

/**
 * @param {Here | null} here @param {Stop[]} stops in the order of the run @param {string | null} current the next stop's id
 * @param {number} count how many are shown @returns {Ahead}
 */
export function ahead(here, stops, current, count) {
  const open = ordered(stops, current);
  const legs = open.slice(0, count).map((stop, n) => ({ stop, leg_m: n ? legM(open[n - 1], stop) : stop.distance_m ?? legM(here, stop) }));
  const next = open[0];
  const seen = isPlace(here) && isPlace(next);
  const course = here?.course_deg ?? null;
  const arrived = next?.state === 'arrived' || (seen && (legs[0].leg_m ?? Infinity) < ARRIVED_M);
  const turn = seen && !arrived ? bearingDeg(here, next) - (course ?? 0) : null;
  return {
    legs,
    more: open.length - legs.length,
    arrow_deg: turn === null ? null : turnDeg(Math.round(turn / ARROW_STEP_DEG) * ARROW_STEP_DEG),
    up: course === null ? 'north' : 'course',
    arrived,
  };
}

/** Open stops, the current one first, the others in the order of the run from there. @param {Stop[]} stops @param {string | null} current */
function ordered(stops, current) {
  const from = Math.max(0, stops.findIndex((stop) => stop.stop_id === current));
  return [...stops.slice(from), ...stops.slice(0, from)].filter((stop) => isOpen(stop.state));
}

/** @param {{lat: unknown, lon: unknown} | null | undefined} from @param {Stop} to */
function legM(from, to) {
  return isPlace(from) && isPlace(to) ? distanceM(from, to) : null;
}
