"""Keys in a token behind PKCS#11, against a real SoftHSM2."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from fleet.config import EvidenceSettings
from fleet.intake import SignedRecord, read
from fleet.notary import Notary
from mqtt.evidence import EvidenceError
from mqtt.evidence.certificates import role_uri
from mqtt.evidence.chain import first_head, seal_record
from mqtt.evidence.keys import TokenKey, is_file, new_key, open_key, open_signer
from mqtt.evidence.keys.uri import TokenUri
from mqtt.evidence.verify import verify_record
from mqtt.messages import Pod, encode, utc_ms
from provisioning.est.wire import csr_by, read_csr
from tests.signers import UNIT, Fleet, record, wall
from tests.tokens import MODULE, Tokens, needed


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Fleet:
    return Fleet(tmp_path_factory.mktemp("fleet"))


@pytest.fixture(scope="module")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tokens]:
    needed()
    import pkcs11

    with pytest.MonkeyPatch.context() as patch:
        made = Tokens(tmp_path_factory.mktemp("softhsm"))
        patch.setenv("SOFTHSM2_CONF", str(made.config))
        made.make("roadproof", "twin", "twin")
        yield made
        pkcs11.unload(str(MODULE))


def test_a_record_signed_in_a_token_verifies(tokens: Tokens, fleet: Fleet, tmp_path: Path) -> None:
    where = tokens.uri("signs")
    certificate = tmp_path / "unit.pem"
    certificate.write_bytes(fleet.certificate(new_key(where).public_key))
    signer = open_signer(where, certificate)
    sealed = seal_record(record(1), first_head(signer.certificate_der), signer)
    verify_record(sealed.rec, sealed.jws, unit=certificate.read_bytes(), issuing=fleet.issuing, root=fleet.root, at=wall(1, 20))
    assert signer.describe() == "SoftHSM v2 token roadproof"
    assert not is_file(where)


def test_a_certificate_is_asked_for_with_the_token_s_key(tokens: Tokens) -> None:
    key = new_key(tokens.uri("asks"))
    assert read_csr(csr_by(key, "van-017")) == key.public_key == open_key(tokens.uri("asks")).public_key


def test_a_receiver_signs_its_receipts_in_a_token(tokens: Tokens, fleet: Fleet, tmp_path: Path) -> None:
    where = tokens.uri("desk")
    certificate = tmp_path / "receiver.pem"
    certificate.write_bytes(fleet.certificate(new_key(where).public_key, cn="hq", uris=(role_uri("receiver", "hq"),)))
    (tmp_path / f"{UNIT}.pem").write_bytes(fleet.unit_pem)
    place = EvidenceSettings(
        root=str(fleet.folder / "ca/root.pem"),
        issuing=str(fleet.folder / "ca/issuing.pem"),
        units_folder=str(tmp_path),
        certificate=str(certificate),
        key=where,
    )
    sealed = seal_record(record(1), first_head(fleet.unit.certificate_der), fleet.unit)
    payload = encode(Pod(unit=UNIT, boot="7f1c2d", log="0000a001", seq=1, rec=sealed.rec, jws=sealed.jws))
    (signed,) = read(f"rp/v1/{UNIT}/up/pod", payload, 0)
    assert isinstance(signed, SignedRecord)
    checked = Notary(place).check(signed, utc_ms(wall(1, 20)))
    assert checked.good
    assert checked.receipt is not None  # the notary gives none that would not be accepted


def test_nobody_reads_the_private_half_out_of_the_token(tokens: Tokens) -> None:
    import pkcs11

    private = vars(new_key(tokens.uri("hidden")))["_private"]
    assert private[pkcs11.Attribute.SENSITIVE]
    assert not private[pkcs11.Attribute.EXTRACTABLE]
    with pytest.raises(pkcs11.AttributeSensitive):
        private[pkcs11.Attribute.VALUE]


def test_a_key_in_a_token_is_never_replaced(tokens: Tokens) -> None:
    first = new_key(tokens.uri("once")).public_key
    with pytest.raises(EvidenceError, match="there is a key once in the token roadproof already"):
        new_key(tokens.uri("once"))
    assert open_key(tokens.uri("once")).public_key == first


def test_a_token_that_was_away_signs_again(tokens: Tokens) -> None:
    import pkcs11

    key = new_key(tokens.uri("away"))
    pkcs11.lib(str(MODULE)).reinitialize()  # every session of this process ends, as when a token is pulled out
    assert len(key.sign(b"a record")) == 64


def test_a_destroyed_key_signs_nothing_more(tokens: Tokens) -> None:
    where = tokens.uri("gone")
    key, other = new_key(where), open_key(where)
    assert isinstance(key, TokenKey)
    key.destroy()
    for left in (key, other):
        with pytest.raises(EvidenceError, match="holds no key gone"):
            left.sign(b"a record")
    assert new_key(where).public_key != key.public_key


def test_several_threads_sign_with_one_key(tokens: Tokens) -> None:
    key = new_key(tokens.uri("shared"))
    made: list[bytes] = []
    threads = [threading.Thread(target=lambda: made.extend(key.sign(b"a record") for _ in range(10))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(made)) == 40


def test_a_wrong_pin_is_told(tokens: Tokens, tmp_path: Path) -> None:
    import pkcs11

    pkcs11.lib(str(MODULE)).reinitialize()  # nobody of this process is logged in
    wrong, open_to_all = tmp_path / "wrong", tmp_path / "open"
    for file in (wrong, open_to_all):
        file.write_text("000000", encoding="utf-8")
    wrong.chmod(0o600)
    open_to_all.chmod(0o644)
    with pytest.raises(EvidenceError, match=r"the PIN of the token roadproof in .*wrong is wrong"):
        new_key(tokens.uri("pin", pin=wrong))
    with pytest.raises(EvidenceError, match="can be read by others"):
        new_key(tokens.uri("pin", pin=open_to_all))
    with pytest.raises(EvidenceError, match="nowhere cannot be read"):
        new_key(tokens.uri("pin", pin=tmp_path / "nowhere"))
    with pytest.raises(EvidenceError, match="PIN"):
        new_key(tokens.uri("pin").partition("&")[0])


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (("token=roadproof", "token=absent"), "there is no token absent: plug it in"),
        (("token=roadproof", "token=twin"), "more than one token twin: name it by its serial="),
        (("object=never", "object=neither"), "holds no key neither"),
        ((str(MODULE), "/nowhere.so"), "there is no PKCS#11 library at /nowhere.so"),
        ((str(MODULE), "/etc/hostname"), "did not answer as it should"),
    ],
)
def test_what_cannot_be_reached_is_named(tokens: Tokens, change: tuple[str, str], sentence: str) -> None:
    with pytest.raises(EvidenceError, match=sentence):
        open_key(tokens.uri("never").replace(*change))


@pytest.mark.parametrize(
    ("uri", "sentence"),
    [
        ("pkcs11:", "does not say which library, token and key"),
        ("pkcs11:token=a;object=b", "does not say which library"),
        ("pkcs11:token=a?module-path=/m.so", "does not say which library"),
        ("pkcs11:object=b?module-path=/m.so", "does not say which library"),
        ("pkcs11:token=a;object=b;colour=red?module-path=/m.so", "'colour=red' is not understood"),
        ("pkcs11:token=a;token=b;object=c?module-path=/m.so", "'token=b' is not understood"),
        ("pkcs11:token=a;object=?module-path=/m.so", "'object=' is not understood"),
        ("pkcs11:token=a;object=b;type=cert?module-path=/m.so", "names no private key"),
        ("pkcs11:token=a;object=b?module-path=/m.so&pin-value=1234", "put it into a file"),
    ],
)
def test_a_name_that_is_no_key_s_is_refused(uri: str, sentence: str) -> None:
    with pytest.raises(EvidenceError, match=sentence) as refused:
        open_key(uri)
    assert "1234" not in str(refused.value)


def test_a_name_is_read_as_rfc_7512_writes_it() -> None:
    read = TokenUri.parse(
        "pkcs11:token=My%20token;serial=0F;object=a%3Bb;id=%01%ff;type=private?module-path=/m.so&pin-source=file:/etc/p%20n"
    )
    assert (read.token, read.serial, read.object, read.id) == ("My token", "0F", "a;b", b"\x01\xff")
    assert (read.module, read.pin_file) == (Path("/m.so"), Path("/etc/p n"))
