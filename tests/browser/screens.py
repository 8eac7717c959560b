"""One view of every screen, as full as a real day fills it: long names, three currencies, right-to-left data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from firmware.kiosk.reception import Box, Reception
from firmware.status import SatelliteStatus
from firmware.terminal import surroundings

Json = dict[str, Any]

NOW_MS = 1_774_362_660_000  # 2026-03-24 14:31 UTC
MINUTE_MS = 60_000
PHOTO = "4f2a6c1d" * 8  # the stand-in serves a picture under this name

PLACES = {
    "en": ("12 Saint Andrew's Crescent, Bishopbriggs", "2nd floor, ring twice", "Margaret Featherstonehaugh"),
    "de": ("Donaudampfschifffahrtsstraße 112 b, Hinterhaus", "2. Obergeschoss, bei Schmidt-Rottluff", "Friederike Wolkenstein-Trostburg"),
    "es": ("Avenida de la Constitución 148, escalera izquierda", "3.º C, llamar al portero automático", "María Concepción Etxeberria"),
    "pl": ("ul. Księdza Świętopełka Źdźbłowskiego 17/4", "2. piętro, dzwonek Wróblewscy", "Bożena Grzegżółka-Brzęczyszczykiewicz"),
    "ar": ("شارع الملك عبد العزيز ١٢، حي النهضة", "الطابق الثاني، شقة ٤", "محمد عبد الرحمن القحطاني"),
}  # fmt: skip
GOODS = {
    "en": ("Washing machine door seal", "Dog food, 12 kg"),
    "de": ("Waschmaschinentürdichtung", "Hundefutter Trockenfleisch, 12 kg"),
    "es": ("Junta de la puerta de la lavadora", "Pienso para perros, 12 kg"),
    "pl": ("Uszczelka drzwi pralki", "Karma dla psów, 12 kg"),
    "ar": ("حلقة باب الغسالة", "طعام كلاب ١٢ كغ"),
}
STEPS = ("scan", "photo", "cod", "sign", "name")


def money(amount: int, currency: str = "EUR") -> Json:
    return {"amount": amount, "currency": currency, "digits": 2}


def stop(lang: str, no: int = 17, **changes: Any) -> Json:
    address, detail, contact = PLACES[lang]
    return {
        "stop_id": f"S{no}", "no": no, "service": "delivery", "address": address, "detail": detail, "contact": contact,
        "phone": "+49 30 901820", "window": {"begin_ms": NOW_MS - 31 * MINUTE_MS, "end_ms": NOW_MS + 29 * MINUTE_MS},
        "note": {"de": "Vorsicht, Hund im Hof. Klingel geht nicht.", "ar": "احذر الكلب"}.get(lang, "Dog in the yard, bell is broken."),
        "parcels": 3, "cod": None, "state": "open", "distance_m": 840, "eta_ms": NOW_MS + 7 * MINUTE_MS,
    } | changes  # fmt: skip


def stops(lang: str) -> list[Json]:
    return [
        stop(lang, 16, state="delivered", distance_m=None, eta_ms=None),
        stop(lang, 17),
        stop("de", 18, cod=money(2490), distance_m=1_140, parcels=1),
        stop("pl", 19, service="pickup", distance_m=1_900, parcels=2, window=None),
        stop("ar", 20, service="return", distance_m=12_400, cod=money(18500, "PLN")),
        stop("es", 21, state="failed", distance_m=None),
        stop("en", 22, distance_m=15_020),
    ]


def lines(lang: str) -> list[Json]:
    seal, food = GOODS[lang]
    codes = [{"code": f"00340123450000881{n}", "state": state, "grade": None} for n, state in ((2, "scanned"), (9, "open"))]
    return [
        {"line_id": "L1", "name": seal, "qty": 2, "qty_fact": 2, "unit": "pcs", "codes": codes, "weight_g": 4200, "reason": None},
        {"line_id": "L2", "name": food, "qty": 1, "qty_fact": 1, "unit": "pcs", "weight_g": 12000, "reason": None,
         "codes": [{"code": "JD014088140000", "state": "missing", "grade": None}]},
    ]  # fmt: skip


def steps(now: str) -> list[Json]:
    at = STEPS.index(now)
    return [{"name": name, "state": "done" if n < at else "now" if n == at else "todo"} for n, name in enumerate(STEPS)]


def chart() -> Json:
    places = ((52.5208, 13.4095), (52.5235, 13.4012), (52.5163, 13.3777), (52.5308, 13.3847))
    return {
        "here": {"lat": 52.52, "lon": 13.405, "course_deg": 72},
        "stops": [{"stop_id": f"S{n}", "no": n, "lat": lat, "lon": lon, "state": "open"} for n, (lat, lon) in enumerate(places, start=17)],
    }


def boot(lang: str) -> Json:
    """A morning on which something is wrong with most parts: the unit's sentences are long, and in English."""
    checks = (
        ("gnss", "wait", "The receiver works but has no fix; it needs a view of the sky, and up to a minute after a cold start."),
        ("camera", "bad", "The camera at /dev/video0 was unplugged; plug it in again."), ("scanner", "ok", ""),
        ("broker", "wait", "The name of the broker cannot be resolved."), ("storage", "ok", "91%"), ("queue", "ok", "0"),
        ("clock", "wait", "floor"),
    )  # fmt: skip
    version, code = "0.1.0", surroundings.qr_code("Roadproof VAN-042 0.1.0")
    return {"checks": [{"key": key, "state": state, "text": text} for key, state, text in checks],
            "version": version, "unit": "VAN-042", "qr": code}  # fmt: skip


def boot_well(lang: str) -> Json:
    """A good morning."""
    texts = {"gnss": "11", "storage": "4%", "queue": "0", "clock": "gnss"}
    return boot(lang) | {"checks": [one | {"state": "ok", "text": texts.get(one["key"], "")} for one in boot(lang)["checks"]]}


def sky() -> tuple[SatelliteStatus, ...]:
    """Four systems over a town: some used, some weak, some behind houses, one of which nobody knows where it is."""
    seen = {
        "GPS": ((2, 71, 64, 47), (5, 48, 201, 44), (7, 12, 318, 21), (9, 33, 95, 38), (13, 25, 252, 31), (20, 58, 290, 45),
                (30, 7, 33, None)),
        "GLONASS": ((65, 44, 40, 40), (66, 76, 340, 42), (74, 18, 110, 24), (75, 52, 168, 36), (82, 9, 12, None), (88, 29, 300, 27)),
        "Galileo": ((3, 62, 130, 43), (5, 21, 60, 29), (8, 37, 222, 39), (15, 15, 186, 19), (27, None, None, 33)),
        "BeiDou": ((11, 40, 260, 35), (19, 66, 20, 41), (22, 28, 140, 26), (36, 5, 275, None)),
    }  # fmt: skip
    return tuple(
        SatelliteStatus(system=system, prn=prn, elevation_deg=high, azimuth_deg=turn, snr_db=snr_db, used=(snr_db or 0) >= 30)
        for system, satellites in seen.items()
        for prn, high, turn, snr_db in satellites
    )


def signin(lang: str) -> Json:
    drivers = [{"driver_id": f"D{n}", "name": PLACES[name][2]} for n, name in enumerate((lang, "de", "pl", "ar"))]
    return {"drivers": drivers, "digits": 4, "tries_left": 5, "locked_ms": 0, "has_run": True, "badge": True}


def check(lang: str) -> Json:
    names = ("brakes", "parking_brake", "steering", "lights", "tyres", "horn", "wipers", "mirrors", "wheels", "emergency", "coupling")
    items = [
        {"item_id": name, "name": "", "ok": None if n > 6 else name != "tyres", "safety": True, "old_defect": name == "wipers",
         "photo": name == "tyres"}
        for n, name in enumerate(names)
    ]  # fmt: skip
    return {"phase": "before", "items": items, "odometer_km": 84210, "blocked": ["tyres"], "vehicle": "Sprinter 314, B-RP 4242"}


def load(lang: str) -> Json:
    missing = [{"code": f"00340123450000882{n}", "stop_no": 30 + n, "reason": "not_found" if n == 1 else None} for n in range(4)]
    return {
        "total": 118, "loaded": 112, "wrong": 1, "missing": missing, "reasons": ["not_found", "damaged", "left_behind"],
        "last": {"code": "003401234500008812", "verdict": "ok", "stop_no": 17, "shelf": {"de": "Regal C links oben"}.get(lang, "C")},
    }  # fmt: skip


def drive(lang: str) -> Json:
    return {
        "next": stop(lang), "distance_m": 840, "eta_ms": NOW_MS + 7 * MINUTE_MS, "deviation_min": 4, "done": 17, "total": 84,
        "unread": 1, "locked": False, "map": chart(),
    }  # fmt: skip


def route(lang: str) -> Json:
    return {"stops": stops(lang), "current": "S17", "done": 17, "total": 84, "deviation_min": -4, "unread": 1, "map": chart()}


def stop_detail(lang: str) -> Json:
    return {
        "stop": stop(lang, state="arrived", distance_m=12), "lines": lines(lang), "needs": list(STEPS), "radius_m": 100, "inside": True,
        "contactless": None, "no": 17, "total": 84, "can_correct": False,
    }  # fmt: skip


def scan(lang: str) -> Json:
    return {
        "stop": stop(lang), "lines": lines(lang), "done": 1, "total": 3, "last": {"code": "003401234500008812", "verdict": "ok"},
        "need": "required", "steps": steps("scan"), "can_skip": True, "camera": "ok",
    }  # fmt: skip


def photo(lang: str) -> Json:
    return {
        "stop": stop(lang), "steps": steps("photo"), "need": "required", "camera": "ok", "review": None, "can_skip": True,
        "reasons": ["camera", "dark", "privacy"],
    }  # fmt: skip


def sign(lang: str) -> Json:
    return {
        "stop": stop(lang), "steps": steps("sign"), "need": "required", "parcels": 3, "lines_text": list(GOODS[lang]),
        "who": PLACES[lang][2],
    }  # fmt: skip


def cod(lang: str) -> Json:
    return {
        "stop": stop(lang, cod=money(2490)), "steps": steps("cod"), "due": money(2490), "chips": [money(2490), money(3000), money(5000)],
        "given": money(3000), "change": money(510), "methods": ["cash", "card", "paid"], "method": "cash", "needs_reference": False,
    }  # fmt: skip


def pin(lang: str) -> Json:
    return {"stop": stop(lang), "steps": steps("scan"), "digits": 6, "tries_left": 2, "can_skip": True}


def rate(lang: str) -> Json:
    return {"stop": stop(lang), "steps": steps("name")}


def name(lang: str) -> Json:
    chips = [{"relation": "recipient", "name": PLACES[lang][2]}] + [
        {"relation": relation, "name": ""} for relation in ("family", "neighbour", "reception", "safe_place", "other")
    ]
    return {
        "stop": stop(lang), "steps": steps("name"), "chips": chips, "name": PLACES[lang][2], "relation": "recipient",
        "summary": {"parcels": 3, "photo": True, "signature": "signed", "cash": money(2490), "missing": 1},
        "ready": True, "lacks": [], "flags": ["far", "photo_dark"],
    }  # fmt: skip


def exception(lang: str) -> Json:
    codes = ("not_home", "refused", "wrong_address", "damaged", "missing", "no_access", "closed", "not_paid", "other")
    return {
        "stop": stop(lang), "scope": "stop", "reasons": [{"code": code, "name": "", "photo": "enabled"} for code in codes],
        "reason": None, "step": "reason", "camera": "ok", "ready": False,
    }  # fmt: skip


def messages(lang: str) -> Json:
    words = {"de": "Stopp 22 liegt jetzt vor Stopp 19, bitte Reihenfolge einhalten.", "ar": "المحطة ٢٢ قبل المحطة ١٩ الآن"}
    return {
        "items": [
            {"message_id": "M2", "t_ms": NOW_MS - 11 * MINUTE_MS, "urgent": True, "read": False, "reply": None,
             "text": words.get(lang, "Stop 22 comes before stop 19 now.")},
            {"message_id": "M1", "t_ms": NOW_MS - 86 * MINUTE_MS, "text": "Depot gate closes at 18:00",
             "urgent": False, "read": True, "reply": "reply.ok"},
        ],
        "replies": [{"key": "reply.ok"}, {"key": "reply.late_10"}, {"key": "reply.traffic"}, {"key": "reply.break"}],
    }  # fmt: skip


def end(lang: str) -> Json:
    aboard = [{"code": f"00340123450000890{n}", "stop_no": 30 + n, "why": why} for n, why in enumerate(("not_home", "refused", "damaged"))]
    return {
        "done": 81, "total": 84, "failed": 3, "first_attempt_pct": 97, "on_time_pct": 96, "stops_per_hour": 14.2, "km": 83.4,
        "aboard": aboard,
        "cash_expected": [money(21240), money(18500, "PLN")], "cash_counted": None, "queue": 4, "checked": False, "driver": PLACES[lang][2],
    }  # fmt: skip


TROUBLES = {
    "foreign": "est.example.org:8443 shows another root certificate than the card names: it is not this fleet's authority; check the"
               " address on the card and who is in this network: no code was sent",
    "rubbish": "/run/media/STICK/enrol.txt is no text file with an enrolment code: write the text of `roadproof fleet enrol` into it,"
               " nothing else",
}  # fmt: skip


def enrolling(play: Callable[[Reception], object], camera: str = "ok", *, page_follows: bool = True) -> Callable[[str], Json]:
    """The screen of a blank box at a moment of its enrolment."""

    def data(_: str) -> Json:
        reception = Reception(Box(serial="10000000d4a3f2c1", version="0.1.0", page_follows=page_follows))
        reception.see(camera)
        play(reception)
        shown: Json = reception.view()["d"]
        return shown

    return data


def _joined(reception: Reception) -> None:
    reception.join("Depot Gent, gate 4")
    reception.joined()


def _working(reception: Reception) -> None:
    reception.begin("van-017")
    reception.reach("answers")
    reception.reach("keys")


def _become(reception: Reception) -> None:
    reception.become(unit="van-017-2", vehicle="van-017", fingerprint="5WJXGQ3L7K2MZD6TR4YEBHNUVA")


def changed(make: Callable[[str], Json], **changes: Any) -> Callable[[str], Json]:
    """A screen in another moment."""
    return lambda lang: make(lang) | changes


SCREENS: dict[str, tuple[str, Callable[[str], Json], Json]] = {  # name: the view's screen, its data, and what is round it
    "boot": ("boot", boot, {}),
    "boot-well": ("boot", boot_well, {}),
    "enrol": ("enrol", enrolling(lambda _: None), {}),
    "enrol-no-camera": ("enrol", enrolling(lambda _: None, "missing"), {}),
    "enrol-join": ("enrol", enrolling(lambda reception: reception.join("Depot Gent, gate 4")), {}),
    "enrol-joined": ("enrol", enrolling(_joined), {}),
    "enrol-foreign": ("enrol", enrolling(lambda reception: reception.refuse(TROUBLES["foreign"], again=True)), {}),
    "enrol-rubbish": ("enrol", enrolling(lambda reception: reception.refuse(TROUBLES["rubbish"])), {}),
    "enrol-work": ("enrol", enrolling(_working), {}),
    "enrol-done": ("enrol", enrolling(_become), {}),
    "enrol-done-alone": ("enrol", enrolling(_become, page_follows=False), {}),
    "diag": ("diag", lambda _: {}, {}),
    "signin": ("signin", signin, {}),
    "signin-locked": ("signin", changed(signin, tries_left=0, locked_ms=24_000), {}),
    "check": ("check", check, {}),
    "check-after": ("check", changed(check, phase="after", blocked=[]), {}),
    "load": ("load", load, {}),
    "load-wrong": ("load", changed(load, last={"code": "4006381333931", "verdict": "wrong", "stop_no": None, "shelf": ""}), {}),
    "drive": ("drive", drive, {}),
    "drive-moving": ("drive", changed(drive, locked=True), {"moving": True}),
    "drive-done": ("drive", changed(drive, next=None, distance_m=None, eta_ms=None, done=84), {}),
    "route": ("route", route, {}),
    "stop": ("stop", stop_detail, {}),
    "stop-far": ("stop", changed(stop_detail, inside=False, contactless="safe_place", can_correct=True), {}),
    "scan": ("scan", scan, {"toast": {"n": 1, "level": "ok", "key": "verdict.ok", "args": {}}}),
    "scan-wrong": ("scan", changed(scan, last={"code": "4006381333931", "verdict": "wrong"}),
                   {"toast": {"n": 2, "level": "wrong", "key": "scan.wrong", "args": {"stop": 22}}}),
    "scan-several": ("scan", scan, {"overlay": {"kind": "choice", "codes": ["003401234500008812", "https://id.example/01/04006381333931/21/A7",
                     "JJD014099998888777766660000111122223333", "4006381333931", "1Z999AA10123456784", "RR473124829FI"]}}),
    "scan-doubtful": ("scan", scan, {"overlay": {"kind": "choice", "codes": ["4006381333931"]}}),
    "scan-no-camera": ("scan", changed(scan, camera="missing", last=None), {}),
    "photo": ("photo", photo, {}),
    "photo-review": ("photo", changed(photo, review={"sha256": PHOTO, "warning": "blurred"}), {}),
    "photo-no-camera": ("photo", changed(photo, camera="unplugged"), {}),
    "sign": ("sign", sign, {}),
    "cod": ("cod", cod, {}),
    "cod-card": ("cod", changed(cod, method="card", needs_reference=True, given=None, change=None), {}),
    "pin": ("pin", pin, {}),
    "rate": ("rate", rate, {}),
    "name": ("name", name, {}),
    "name-lacking": ("name", changed(name, name=None, relation=None, ready=False, lacks=["photo", "name"], flags=[]), {}),
    "exception": ("exception", exception, {}),
    "exception-photo": ("exception", changed(exception, reason="not_home", step="photo"), {}),
    "exception-confirm": ("exception", changed(exception, reason="not_home", step="confirm", ready=True), {}),
    "messages": ("messages", messages, {}),
    "end": ("end", end, {}),
    "overlay-run": ("route", route, {"overlay": {"kind": "run", "added": 2, "removed": 1, "changed": 3}}),
    "overlay-undo": ("route", route, {"overlay": {"kind": "undo", "left_ms": 5000,
                                                  "address": PLACES["de"][0], "outcome": "delivered_to_recipient"}}),
    "training": ("route", route, {"training": True}),
}  # fmt: skip


def view(screen: str, *, lang: str = "en", theme: str = "day", hand: str = "right") -> Json:
    """The whole view of one of SCREENS."""
    shown, data, around = SCREENS[screen]
    return {
        "screen": shown, "lang": lang, "theme": theme, "hand": hand, "training": False, "moving": False, "overlay": None, "toast": None,
        "d": data(lang),
    } | around  # fmt: skip
