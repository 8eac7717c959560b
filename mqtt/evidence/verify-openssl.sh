#!/usr/bin/env bash
# Checks a proof of delivery with bash (4.4), openssl (3.0) and coreutils (8.31, or newer) alone, without a network:
#     bash verify-openssl.sh ../root.pem
# Run it inside the unpacked bundle; the root certificate is yours and lies elsewhere. Exit code 0: everything holds, 1: something does not, 2: it was typed wrongly.
set -u
export LC_ALL=C
shopt -s nullglob dotglob
[[ $# == 1 && -f $1 && -f record.json ]] || { echo "usage, inside an unpacked bundle: bash verify-openssl.sh ../root.pem" >&2; exit 2; }
[[ $(openssl version 2>/dev/null) == "OpenSSL "[3-9]* ]] || { echo "openssl 3.0 or newer is needed; this is: $(openssl version 2>&1)" >&2; exit 2; }
basenc --version >/dev/null 2>&1 || { echo "coreutils 8.31 or newer is needed: there is no basenc" >&2; exit 2; }
[[ ! $(dirname -- "$1") -ef . ]] || { echo "the root certificate lies among the evidence: whoever made the one could have made the other." \
    "Get it from somebody you trust, and keep it elsewhere" >&2; exit 2; }
root=$1 faults=0 why=
work=$(mktemp -d) || exit 2
trap 'rm -rf -- "$work"' EXIT
good() { printf 'good: %s\n' "$1"; }
note() { printf 'note: %s\n' "$1"; }
bad() { printf 'BAD:  %s\n' "$1"; faults=$((faults + 1)); }
say_no() { why=$1; return 1; }
b64() { basenc --base64url -w0 | tr -d =; }
hex() { od -An -v -tx1 | tr -d ' \n'; }
sha() { sha256sum | cut -d' ' -f1; }
link() { { cat -- "$1"; printf '\n'; cat -- "$2"; } | sha; }
ms() { date -u -d "$1" +%s%3N 2>/dev/null; }

# --- JSON: parse FILE fills V with every value by its path, as in V[.t.wall]; texts begin with a quote; V[.att.] counts .att
declare -A V
parse() {
    local -a parts pieces=()
    local part text slashes rest word inside=0 IFS=
    T=() I=0 V=()
    (($(wc -c <"$1") <= 4194304)) || say_no "$1 is too large" || return
    [[ $(tr -d '\000-\037' <"$1" | wc -c) == "$(wc -c <"$1")" ]] || say_no "$1 is not canonical JSON" || return
    mapfile -d '"' parts <"$1"
    for part in "${parts[@]}"; do
        if ((inside)); then
            pieces+=("$part")
            [[ $part == *\" ]] || continue
            rest=${part:0:${#part}-1}
            ((${#rest} > 8000)) && rest=${rest: -8000}
            slashes=${rest##*[!\\]} # an odd number of them: the quote belongs to the text
            ((${#slashes} < 8000)) || say_no "$1 has a text that is nothing but backslashes" || return
            ((${#slashes} % 2 == 0)) || continue
            text=${pieces[*]}
            T+=("\"${text:0:${#text}-1}") pieces=() inside=0
        else
            ((${#part} <= 4096)) || say_no "$1 is not canonical JSON of ours: nothing in it has so many numbers in a row" || return
            rest=${part%\"}
            while [[ -n $rest ]]; do
                word=${rest%%[][\{\},:]*}
                word=${word:-${rest:0:1}}
                T+=("$word") rest=${rest:${#word}}
            done
            [[ $part == *\" ]] && inside=1
        fi
    done
    ((inside == 0)) && value "" && ((I == ${#T[@]})) || say_no "$1 is not canonical JSON, or has a key twice"
}
value() {
    local token=${T[I]-} key last= count=0
    ((${#FUNCNAME[@]} < 40)) || return 1 # nested too deeply
    I=$((I + 1))
    case $token in
    \"* | true | false | null) V["$1"]=$token ;;
    \{)
        [[ ${T[I]-} == \} ]] && { I=$((I + 1)); return 0; }
        while key=${T[I]-}; do
            [[ $key =~ ^\"[A-Za-z0-9_#-]+$ && $key > $last && ${T[I + 1]-} == : ]] || return 1
            last=$key I=$((I + 2))
            value "$1.${key:1}" || return 1
            token=${T[I]-} I=$((I + 1))
            [[ $token == \} ]] && return 0
            [[ $token == , ]] || return 1
        done ;;
    \[)
        V["$1."]=0
        [[ ${T[I]-} == \] ]] && { I=$((I + 1)); return 0; }
        while value "$1.$count"; do
            count=$((count + 1)) token=${T[I]-} I=$((I + 1))
            V["$1."]=$count
            [[ $token == \] ]] && return 0
            [[ $token == , ]] || return 1
        done
        return 1 ;;
    *) [[ $token =~ ^(0|-?[1-9][0-9]{0,15})$ ]] && V["$1"]=$token ;;
    esac
}
text() { local found=${V[$1]-}; [[ $found == \"* ]] && printf '%s' "${found:1}"; } # of a value that is a text
time_of() { [[ $(text "$1") =~ ^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$ ]] && ms "$(text "$1")" >/dev/null && text "$1"; }

# --- certificates: certificate FILE ROLE TIME puts its holder's name into `name`, its bytes into $work/FILE.der, its key into $work/FILE.key
declare -A checked
one_certificate() {
    local pem copy=$work/${1//\//_}
    [[ -z ${checked["$1"]-} ]] || return 0
    pem=$(tr -d '\000' <"$1")
    [[ $pem == *"-----BEGIN CERTIFICATE-----"* && ${pem#*-----BEGIN } != *"-----BEGIN "* ]] || say_no "$1 is not one certificate in PEM form" || return
    openssl x509 -in "$1" -noout -pubkey >"$copy.key" 2>/dev/null || say_no "$1 is not one certificate in PEM form" || return
    [[ $(tail -n +2 "$copy.key" | head -n -1 | basenc --base64 -d | hex) == 3059301306072a8648ce3d020106082a8648ce3d03010703420004* ]] ||
        say_no "the key of $1 is not on the curve P-256" || return
    checked["$1"]=yes
}
certificate() {
    local file=$1 role=$2 at said der
    name=${checked["$*"]-}
    [[ -z $name ]] || return 0
    one_certificate "$file" && one_certificate issuing.pem && one_certificate "$root" || return
    at=$(date -u -d "$3" +%s) || say_no "$3 is no time" || return
    said=$(openssl verify -x509_strict -show_chain -attime "$at" -no-CApath -no-CAstore -CAfile "$root" -untrusted issuing.pem "$file" 2>&1) ||
        say_no "$file does not lead to the root that you trust, or was not valid at $3 (openssl: ${said##*: })" || return
    [[ $said == *depth=2:* && $said != *depth=3:* ]] || say_no "$file is not two steps below the root" || return
    said=$(openssl x509 -in "$file" -noout -subject -nameopt RFC2253 -ext subjectAltName 2>/dev/null | tr -d ' ')
    name=${said%%$'\n'*} name=${name#subject=CN=}
    [[ $name =~ ^[a-z0-9][a-z0-9-]{0,31}$ && ${said%%$'\n'*} == "subject=CN=$name" ]] || say_no "$file does not have one plain name" || return
    [[ $said == *$'\n'X509v3SubjectAlternativeName:*$'\n'"URI:urn:roadproof:$role:$name" && $(wc -l <<<"$said") == 3 ]] ||
        say_no "$file does not say that its holder is a $role: this key may not sign this" || return
    openssl x509 -in "$file" -outform DER >"$work/$file.der"
    der=$(hex <"$work/$file.der") # below: CA:FALSE; digital signature and content commitment; document signing, nothing else
    [[ $der == *0603551d130101ff04023000* && $der == *0603551d0f0101ff0404030206c0* && $der == *0603551d25040c300a06082b0601050507"0324"* ]] ||
        say_no "$file is not for signing documents: it belongs to another of its holder's keys" || return
    checked["$*"]=$name
}

# --- signatures: signed KIND CERTIFICATE JSON JWS, a detached JWS with exactly one header, ES256, lower s
order=ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551
half=7fffffff800000007fffffffffffffffde737d56d38bcf4279dce5617e3192a8
zero=0000000000000000000000000000000000000000000000000000000000000000
integer() { # an unsigned number as DER hexadecimal
    local digits=$1
    while [[ $digits == 00?* ]]; do digits=${digits:2}; done
    [[ $digits == [89a-f]* ]] && digits=00$digits
    printf '02%02x%s' $((${#digits} / 2)) "$digits"
}
signed() {
    local head jws raw r s body
    head=$(sha <"$work/$2.der" | tr a-f A-F | basenc --base16 -d -i | b64)
    head=$(printf '{"alg":"ES256","typ":"%s","x5t#S256":"%s"}' "$1" "$head" | b64)
    jws=$(tr -d '\000' <"$4")
    [[ $(wc -c <"$4") == "${#jws}" && $jws == "$head.."* ]] || say_no "the header in $4 is not that of a $1 by the key of $2" || return
    jws=${jws#"$head.."}
    [[ $jws =~ ^[A-Za-z0-9_-]{86}$ && $(basenc --base64url -d <<<"$jws==" 2>/dev/null | b64) == "$jws" ]] ||
        say_no "the signature in $4 is not canonical base64url of 64 bytes" || return
    raw=$(basenc --base64url -d <<<"$jws==" | hex) r=${raw:0:64} s=${raw:64}
    [[ $r > $zero && $r < $order && $s > $zero && ! $s > $half ]] || say_no "the signature in $4 is not in its one canonical form" || return
    body=$(integer "$r")$(integer "$s")
    printf '30%02x%s' $((${#body} / 2)) "$body" | tr a-f A-F | basenc --base16 -d >"$work/signature"
    { printf '%s.' "$head"; b64 <"$3"; } >"$work/signed"
    openssl dgst -sha256 -verify "$work/$2.key" -signature "$work/signature" "$work/signed" >/dev/null 2>&1 ||
        say_no "the signature in $4 does not fit $3: it was altered, or signed with another key"
}

# --- what is in the bundle
check_receipt() { # FILE without its ending: fills received, of (unit), number, named (link)
    parse "$1.json" || return
    received=$(time_of .received) of=$(text .unit) number=${V[.seq]-} named=$(text .link)
    [[ ${V[.v]-} == 1 && $(text .typ) == receipt && $number =~ ^[1-9][0-9]*$ && $named =~ ^[0-9a-f]{64}$ && -n $received ]] ||
        say_no "$1.json is not a receipt" || return
    certificate receiver.pem receiver "$received" && signed rp-receipt+jws receiver.pem "$1.json" "$1.jws"
}
check_record() { # JSON JWS TIME: leaves the record's values in V, fills unit, seq, prev
    parse "$1" || return
    unit=$(text .unit) seq=${V[.seq]-} prev=$(text .prev)
    [[ ${V[.v]-} == 1 && $(text .typ) == pod && $seq =~ ^[1-9][0-9]*$ && $prev =~ ^[0-9a-f]{64}$ && -n $(time_of .t.wall) ]] ||
        say_no "$1 is not a record of a delivery" || return
    certificate unit.pem unit "$3" && signed rp-pod+jws unit.pem "$1" "$2" || return
    [[ $unit == "$name" ]] || say_no "$1 says that it is of unit $(printf '%q' "$unit"), but $name signed it" || return
    [[ $seq != 1 || $prev == "$(sha <"$work/unit.pem.der")" ]] || say_no "the first record does not begin at the unit's certificate"
}
check_names() {
    local path
    for path in * att/* chain/*; do
        [[ ! -L $path && -r $path ]] || { bad "$(printf '%q' "$path") is a link, or cannot be read"; continue; }
        [[ $path =~ ^(record|receipt|after)\.(json|jws)$|^(unit|issuing|receiver)\.pem$|^(verify-openssl\.sh|README\.txt|att|chain)$ ||
            $path =~ ^att/[0-9a-f]{64}\.[a-z0-9]{1,8}$|^chain/[1-9][0-9]{0,15}\.json$ ]] ||
            bad "$(printf '%q' "$path") does not belong into a bundle"
    done
    ((faults == 0)) || finish # a file's name could be anything: none is opened, none is printed
    for path in receipt.json record.jws receipt.jws unit.pem issuing.pem receiver.pem; do
        [[ -f $path ]] || { bad "$path is missing"; finish; }
    done
}
check_attachments() { # of the record in V
    local i sha path found listed=" " count=${V[.att.]-0} faults_before=$faults
    for ((i = 0; i < count; i++)); do
        sha=$(text ".att.$i.sha256") found=(att/"$sha".*) listed+="$sha "
        [[ $sha =~ ^[0-9a-f]{64}$ && ${#found[@]} == 1 ]] || { bad "an attachment that the record answers for is missing, or there twice: $(printf '%q' "$sha")"; continue; }
        [[ $(sha <"${found[0]}") == "$sha" && $(wc -c <"${found[0]}") == "${V[.att.$i.len]-}" ]] || bad "the attachment $sha was altered"
    done
    for path in att/*; do
        [[ $listed == *" $(basename -- "${path%%.*}") "* ]] || bad "$path was added: the record does not name it"
    done
    ((faults > faults_before)) || good "attachments that the record answers for: $count"
}
check_times() { # of the record in V, against stored (when its receipt was made); a trusted clock may be off by ten minutes
    local wall=$(time_of .t.wall) wall_ms error_ms=${V[.t.err_ms]-0} after=${V[.t.after]-} src=$(text .t.src) held=$unit own=$seq
    wall_ms=$(ms "$wall") after=${after#\"}
    [[ $error_ms =~ ^[0-9]+$ ]] || say_no "the record's clock has no margin" || return # bash would run what else could stand here
    [[ $src != @(gnss|ntp) ]] || ((error_ms <= 600000)) || say_no "the unit calls its clock set by $src, and $error_ms ms wrong: one of the two is false" || return
    [[ $src != @(gnss|ntp) ]] || ((wall_ms - error_ms <= $(ms "$stored") + 600000)) || say_no "the unit made it at $wall, after the receiver had stored it" || return
    if [[ $src == @(gnss|ntp) ]]; then
        good "the unit's clock, set by $src, said $wall: that contradicts no receipt in the bundle"
    else
        note "the unit's clock said $wall, but nothing had set it: go by the receipts alone"
    fi
    good "it was made before $stored: by then the receiver held it"
    [[ -e after.json || -e after.jws ]] || { note "that it was not made earlier than it says is the unit's word alone"; return 0; }
    [[ $after == "$(link after.json after.jws)" ]] || say_no "after.json is not the receipt that the record names" || return
    check_receipt after || return
    [[ $of == "$held" && $number -lt $own ]] || say_no "after.json is not for an earlier record of this unit" || return
    (($(ms "$received") <= $(ms "$stored"))) || say_no "the receipt is backdated: it says $stored, the record names one made at $received" || return
    [[ $src != @(gnss|ntp) ]] || ((wall_ms + error_ms + 600000 >= $(ms "$received"))) || say_no "it says $wall, but names a receipt made at $received" || return
    good "it was made after $received: it names the receipt of record $number made then"
}
check_neighbour() { # FILE, next to the record with the number own, previous link before, link here, of unit owner
    local expected=$(basename -- "$1" .json)
    parse "$1" && [[ ${#V[@]} == 2 ]] && text .jws >"$work/n.jws" || say_no "$1 is no record with its signature" || return
    IFS= read -r -d '' rec < <(text .rec; printf '\0') && IFS= read -d '' rec <<<"$rec" # without -r: takes the backslashes away
    printf '%s' "${rec%$'\n'}" >"$work/n.json"
    check_record "$work/n.json" "$work/n.jws" "$stored" || return
    [[ $seq == "$expected" && $unit == "$owner" ]] || say_no "$1 holds another record" || return
    case $((seq - own)) in
    -1) [[ $before == "$(link "$work/n.json" "$work/n.jws")" ]] ;;
    1) [[ $prev == "$here" ]] ;;
    *) false ;;
    esac || say_no "$1 is not the neighbour of record $own: one of them was exchanged"
}

finish() {
    ((faults == 0)) && echo "The proof holds." && exit 0
    echo "The proof does NOT hold." && exit 1
}
said=$(openssl x509 -in "$root" -noout -fingerprint -sha256 2>/dev/null)
note "checked against the root certificate ${said#*=}: compare that with what the fleet has published"
check_names
if check_receipt receipt; then
    stored=$received stored_of="$of $number $named"
    good "a receiver of your root signed at $stored for record $number of $of"
    if check_record record.json record.jws "$stored"; then
        own=$seq before=$prev owner=$unit here=$(link record.json record.jws)
        good "unit $unit signed record $seq, and nothing in it was changed since"
        [[ $stored_of == "$unit $seq $here" ]] || bad "the receipt is for another record or another signature"
        check_attachments
        check_times || bad "$why"
        neighbours=(chain/*)
        ((${#neighbours[@]})) || note "no neighbour is in the bundle: it does not show that nothing was left out before or after"
        for file in "${neighbours[@]}"; do
            if check_neighbour "$file"; then good "record $own and record $seq are neighbours in the unit's chain"; else bad "$why"; fi
        done
    else
        bad "$why"
    fi
else
    bad "$why"
fi
finish
