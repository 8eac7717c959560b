// @ts-check

/**
 * Strokes as they are kept and signed: whole numbers, differences after the first, lengths in quarter pixels.
 * @typedef {{x: number, y: number, pressure: number, time: number}} Point
 * @typedef {{points: Point[]}} Stroke
 */

const QUARTER = 4;

/** @param {number[]} values */
const deltas = (values) => values.map((value, n) => (n ? value - values[n - 1] : value));

/** @param {Stroke[]} strokes @param {number} width @param {number} height */
export function compact(strokes, width, height) {
  const start_ms = strokes[0]?.points[0]?.time ?? 0;
  return {
    v: 1, w: Math.round(width * QUARTER), h: Math.round(height * QUARTER), unit: 'q',
    strokes: strokes.map(({ points }) => ({
      x: deltas(points.map((point) => Math.round(point.x * QUARTER))),
      y: deltas(points.map((point) => Math.round(point.y * QUARTER))),
      t: deltas(points.map((point) => Math.max(0, Math.round(point.time - start_ms)))),
      p: points.map((point) => Math.max(0, Math.min(255, Math.round((point.pressure || 0) * 255)))),
    })),
  };
}

/** The same strokes in a box of another size, not distorted. @template {Stroke} S @param {S[]} strokes @param {number} factor @returns {S[]} */
export function scaled(strokes, factor) {
  return strokes.map((stroke) => ({ ...stroke, points: stroke.points.map((point) => ({ ...point, x: point.x * factor, y: point.y * factor })) }));
}

/** @param {Stroke[]} strokes how much ink: the length of all lines in pixels */
export function ink_px(strokes) {
  let sum = 0;
  for (const { points } of strokes) {
    for (let n = 1; n < points.length; n += 1) sum += Math.hypot(points[n].x - points[n - 1].x, points[n].y - points[n - 1].y);
  }
  return sum;
}
