"""Where in a picture a barcode may be. numpy and Pillow, no decoder.

Decoders look along the rows of a picture: a code that lies askew, small or in the dark is there and is not read. A barcode is many strong
edges close together, of one direction (linear) or of two at right angles (matrix); both are seen in the structure tensor of blocks of the
halved picture. All of it is done on the logarithm of the luma: a shadow is then a step, not a loss of contrast.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from PIL import Image

from drivers.barcode.regions import MARGIN_PX, Pixels, Region, Values

BLOCK_PX = 8  # of the halved picture: 16 of the whole one, five modules of a label at a good distance
LOG_OF_SUM = (np.log(np.arange(1021) / 4 + 6) * 64).astype(np.float32)  # of four pixels; + 6: the noise of a dark picture is no edge
LOG = (np.log(np.arange(256) + 6.0) * 64).astype(np.float32)
FLOOR_PERCENTILE = 20  # this part of any picture is without edges: what is seen there is noise
TOP_PERCENTILE = 98.5
FULL = 0.1  # of the strongest edges, seen nearly everywhere: noise, or a code that fills the picture
ABOVE_FLOOR, BELOW_TOP = 2.5, 0.12  # an edge worth looking at: against the noise, and against the strongest of the picture
ONE_DIRECTION = 0.55  # coherence of the tensor, 0 to 1, from which a block counts as part of a linear code
TWO_DIRECTIONS = 0.75  # and below which as part of a matrix
TURN_LIMIT = 0.6  # between neighbours of one linear code, of the doubled angle: 17 degrees
MOST_OF_NINE, ALL_OF_NINE = 4, 8.5
LEAST_BLOCKS = 6
MOST_REGIONS = 10
LARGE_BLOCKS, HUGE_BLOCKS = 60, 600  # a patch of more than the one may be a code and its label, of more than the other is no code
LIVELY = 0.1  # of its strongest blocks' energy
LIGHT_PERCENTILE = 90
PATCH_PX = 220  # of the whole picture, in which the direction is measured again
SHEAR_LIMIT = 0.35  # 20 degrees: more is no parcel label any longer
MOST_CLOSE, WHOLE = 2, 1.3  # so many codes fill a picture; a whole one is so much longer than its longest part
SMALL_PX, LARGE_PX = 640, 1_500  # longest sides: under the one a picture is looked at doubled, from the other on reduced


def locate(luma: Pixels) -> list[Region]:
    """The places that look like a barcode, the likeliest first.

    Of a small picture the finest bars would vanish when it is halved, and in a large one a bar is wider than a block.
    """
    longest_px = max(luma.shape)
    image = Image.fromarray(luma)
    if longest_px <= SMALL_PX:
        larger = image.resize((2 * image.width, 2 * image.height), Image.Resampling.BILINEAR)
        return _with_close(_resized(_places(np.asarray(larger)), 0.5), _places(luma))
    reduction = 1 if longest_px < LARGE_PX else -(-longest_px * 2 // (LARGE_PX + SMALL_PX))
    coarser = _resized(_places(np.asarray(image.reduce(2 * reduction))), 2 * reduction)
    return _with_close(_resized(_places(np.asarray(image.reduce(reduction))), reduction), coarser)


def _with_close(regions: list[Region], coarser: list[Region]) -> list[Region]:
    """Before them the linear ones that only a coarser look shows whole: a code held close falls apart in a finer one."""
    linear = [region for region in regions if region.linear]
    close = []
    for whole in coarser[:MOST_CLOSE]:
        parts = [part for part in linear if whole.holds(*part.centre)]
        if whole.linear and len(parts) > 1 and whole.half_along_px > WHOLE * max(part.half_along_px for part in parts):
            close.append(whole)
    return close + regions


def _resized(regions: list[Region], by: float) -> list[Region]:
    for region in regions:
        region.resize(by)
    return regions


def _places(luma: Pixels) -> list[Region]:
    """Those of a picture in the size for which the numbers above are made."""
    along_x, along_y = _edges(LOG_OF_SUM[_quartets(luma)])
    xx, yy, xy = _blocks(along_x * along_x), _blocks(along_y * along_y), _blocks(along_x * along_y)
    if not xx.size:
        return []
    energy = xx + yy
    around = _neighbours(energy)
    top = float(np.percentile(around, TOP_PERCENTILE)) / 9
    floor = float(np.percentile(energy, FLOOR_PERCENTILE))
    straight, slanted = _neighbours(xx - yy), _neighbours(2 * xy)
    coherence = np.hypot(straight, slanted) / (around + 1e-6)
    least = max(ABOVE_FLOOR * floor, BELOW_TOP * top)
    strong = around / 9
    linear = (strong > least) & (coherence > ONE_DIRECTION)
    matrix = (strong > 0.7 * least) & (_neighbours((coherence < TWO_DIRECTIONS).astype(np.float32)) > MOST_OF_NINE)
    angles = np.arctan2(slanted, straight)
    found = [_region(cells, energy, floor, linear=True) for cells in _patches(linear, angles)]
    patches = (part for cells in _patches(matrix, None) for part in _parts(cells, energy, floor))
    found += [_region(cells, energy, floor, linear=False) for cells in patches]
    if floor > FULL * top and _is_linear(straight, slanted, energy):
        found.append(_region(np.indices(energy.shape).reshape(2, -1), energy, 0.0, linear=True))
    found.sort(key=lambda region: -region.strength)
    for region in found[:MOST_REGIONS]:
        _lay(luma, region)
    return found[:MOST_REGIONS]


def _is_linear(straight: Values, slanted: Values, energy: Values) -> bool:
    """Whether the picture as a whole has one direction; the sums are of nine blocks each."""
    return math.hypot(float(straight.sum()), float(slanted.sum())) > ONE_DIRECTION * 9 * float(energy.sum())


def slant(pixels: Pixels) -> float:
    """By how many radians the bars of a cut still lean."""
    along_x, along_y = _edges(LOG[pixels])
    return 0.5 * math.atan2(2 * float((along_x * along_y).sum()), float((along_x * along_x - along_y * along_y).sum()))


def _quartets(luma: Pixels) -> npt.NDArray[np.uint16]:
    """The sum of each two by two pixels."""
    height, width = luma.shape
    even = luma[: height // 2 * 2, : width // 2 * 2]
    total = even[0::2, 0::2].astype(np.uint16)
    for part in (even[0::2, 1::2], even[1::2, 0::2], even[1::2, 1::2]):
        total += part
    return total


def _edges(picture: Values) -> tuple[Values, Values]:
    """Both derivatives, where four pixels meet: central differences would see the finest bars turned."""
    down, up = picture[1:, 1:] - picture[:-1, :-1], picture[:-1, 1:] - picture[1:, :-1]
    return down + up, down - up


def _blocks(values: Values) -> Values:
    """Sums of blocks."""
    height, width = (side // BLOCK_PX * BLOCK_PX for side in values.shape)
    if not height or not width:
        return np.zeros((0, 0), np.float32)
    rows = np.add.reduceat(values[:height], np.arange(0, height, BLOCK_PX), axis=0)
    total: Values = np.add.reduceat(rows[:, :width], np.arange(0, width, BLOCK_PX), axis=1)
    return total


def _neighbours(blocks: Values) -> Values:
    """Each block with the eight around it."""
    padded = np.pad(blocks, 1)
    rows = padded[:-2] + padded[1:-1] + padded[2:]
    total: Values = rows[:, :-2] + rows[:, 1:-1] + rows[:, 2:]
    return total


def _patches(mask: npt.NDArray[np.bool_], angles: Values | None) -> list[npt.NDArray[np.intp]]:
    """Connected blocks; with angles (doubled), only those that turn little from one to the next. Rows and columns of each."""
    height, width = mask.shape
    row = width + 2
    padded = np.zeros((height + 2, row), bool)
    padded[1:-1, 1:-1] = mask
    free: list[bool] = padded.ravel().tolist()
    turned: list[float] | None = None if angles is None else np.pad(angles, 1).ravel().tolist()
    found = []
    for start in np.flatnonzero(padded).tolist():
        if free[start]:
            cells = _flood(start, row, free, turned)
            if len(cells) >= LEAST_BLOCKS:
                found.append(np.array([(cell // row - 1, cell % row - 1) for cell in cells]).T)
    return found


def _flood(start: int, row: int, free: list[bool], turned: list[float] | None) -> list[int]:
    """What is connected with a block; taken from the free ones."""
    steps = (1, -1, row, -row, row + 1, row - 1, 1 - row, -1 - row)
    free[start] = False
    open_ends, cells = [start], []
    while open_ends:
        here = open_ends.pop()
        cells.append(here)
        for step in steps:
            there = here + step
            if free[there] and (turned is None or _turn(turned[here], turned[there]) <= TURN_LIMIT):
                free[there] = False
                open_ends.append(there)
    return cells


def _turn(one: float, other: float) -> float:
    apart = abs(one - other)
    return min(apart, 2 * math.pi - apart)


def _parts(cells: npt.NDArray[np.intp], energy: Values, floor: float) -> list[npt.NDArray[np.intp]]:
    """A large patch, and what of it is lively all over: a label's frame and its text join codes to one another. None where nothing is."""
    rows, columns = cells
    if len(rows) < LARGE_BLOCKS:
        return [cells]
    lively = np.zeros_like(energy)
    lively[rows, columns] = energy[rows, columns] > max(ABOVE_FLOOR * floor, LIVELY * float(np.percentile(energy[rows, columns], 90)))
    core = (_neighbours(lively) > ALL_OF_NINE).astype(np.float32)
    parts = _patches(_neighbours(core) > 0, None)
    return [cells, *parts] if parts and len(rows) < HUGE_BLOCKS else parts


def _region(cells: npt.NDArray[np.intp], energy: Values, floor: float, *, linear: bool) -> Region:
    rows, columns = cells
    mean = max(0.0, float(energy[rows, columns].mean()) - floor)
    places = ((columns + 0.5) * BLOCK_PX * 2 + 1).astype(np.float32), ((rows + 0.5) * BLOCK_PX * 2 + 1).astype(np.float32)
    return Region(linear=linear, strength=math.sqrt(mean) * len(rows) ** 0.6, places=places)


def _lay(luma: Pixels, region: Region) -> None:
    """Measure its directions in the whole picture: halved, fine bars look turned."""
    patch = _patch(luma, region)
    region.light = int(np.percentile(patch[::4, ::4], LIGHT_PERCENTILE))
    along_x, along_y = _edges(_smoothed(LOG[patch]))
    straight, slanted = along_x * along_x - along_y * along_y, 2 * along_x * along_y
    weight = np.hypot(straight, slanted) + 1e-3  # the edges' energy
    region.clustered = float((weight * weight).mean()) / float(weight.mean()) ** 2
    total, leaning = float(straight.sum()), float(slanted.sum())
    if region.linear or math.hypot(total, leaning) > 0.35 * float(weight.sum()):
        region.turn = 0.5 * math.atan2(leaning, total)
    else:  # both directions count alike: the angle modulo a right one
        fourfold = float((2 * straight * slanted / weight).sum()), float(((straight**2 - slanted**2) / weight).sum())
        region.turn = math.atan2(*fourfold) / 4
    if region.linear:
        region.straighten(0.0)
    else:
        _lay_matrix(region, straight, slanted, weight)


def _lay_matrix(region: Region, straight: Values, slanted: Values, weight: Values) -> None:
    """Its upright and its level edges each for themselves: seen from the side, they are not at right angles."""
    upright = straight * math.cos(2 * region.turn) + slanted * math.sin(2 * region.turn)
    gradients = []
    for sign, expected in ((1, region.turn), (-1, region.turn + math.pi / 2)):
        part = upright * sign > 0.5 * weight
        measured = 0.5 * math.atan2(float(slanted[part].sum()), float(straight[part].sum())) if part.any() else expected
        off = (measured - expected + math.pi / 2) % math.pi - math.pi / 2
        gradients.append(expected + max(-SHEAR_LIMIT, min(SHEAR_LIMIT, off)))
    across, level = gradients
    region.lay((math.sin(level), -math.cos(level)), (-math.sin(across), math.cos(across)))


def _patch(luma: Pixels, region: Region) -> Pixels:
    """The middle of it, level with the picture."""
    xs, ys = region.places
    half_x, half_y = (min(PATCH_PX / 2, float(np.ptp(side)) / 2 + MARGIN_PX) for side in (xs, ys))
    x, y = float(xs.mean()), float(ys.mean())
    return luma[max(0, int(y - half_y)) : int(y + half_y), max(0, int(x - half_x)) : int(x + half_x)]


def _smoothed(picture: Values) -> Values:
    rows = picture[:, :-1] + picture[:, 1:]
    return rows[:-1] + rows[1:]
