#!/bin/sh
# Checks the evidence in this folder with public programs, without ARC.
#
#     sh recheck.sh            the files of this folder: sha256sum, openssl, grep; no network
#     sh recheck.sh --cosign   and each bundle with cosign (COSIGN names the program); no network
#     sh recheck.sh --online   and what the registry holds now, with cosign and oras (ORAS names it)
#
# It exits with 0 if everything holds, with 1 if something does not, with 2 if a program is missing.
set -u
# Lengths are in bytes.
export LC_ALL=C
cd "$(dirname "$0")" || exit 2
cosign=${COSIGN:-cosign}
oras=${ORAS:-oras}
failed=0

need() {
    command -v "$1" >/dev/null 2>&1 || {
        echo "$1 is missing" >&2
        exit 2
    }
}

# Runs a command and says whether it held.
check() {
    what=$1
    shift
    if "$@" >/dev/null 2>&1; then
        echo "ok      $what"
    else
        echo "FAILED  $what"
        failed=$((failed + 1))
    fi
}

# digest FILE ALGORITHM HEX: the file's digest is this one.
digest() {
    check "$1 has the digest $2:$3" test "$("$2sum" "$1" | cut -d ' ' -f 1)" = "$3"
}

# contains FILE TEXT: the file says so, literally.
contains() {
    check "$1 contains $2" grep -qF -e "$2" "$1"
}

# carries FILE PART: the file carries the part's bytes, as base64.
carried() {
    openssl base64 -A -in "$2" | grep -qF -f /dev/stdin "$1"
}
carries() {
    check "$1 carries $2" carried "$1" "$2"
}

# signed PAYLOAD SIGNATURE KEY: the key signed the payload as it is.
signed() {
    check "$3 signed $1" openssl dgst -sha256 -verify "$3" -signature "$2" "$1"
}

# attested PAYLOAD SIGNATURE KEY TYPE: the key signed the payload in a DSSE envelope, which is over the text
# "DSSEv1", the type's length, the type, the payload's length and the payload, with one space between each.
enveloped() {
    length=$(wc -c <"$1" | tr -d ' ')
    {
        printf 'DSSEv1 %d %s %d ' "${#4}" "$4" "$length"
        cat "$1"
    } | openssl dgst -sha256 -verify "$3" -signature "$2"
}
attested() {
    check "$3 signed $1 as $4" enveloped "$1" "$2" "$3" "$4"
}

# served REFERENCE HEX [OPTION]: what the registry serves has this SHA-256.
served() {
    reference=$1
    hex=$2
    shift 2
    test "$("$oras" manifest fetch "$@" "$reference" | sha256sum | cut -d ' ' -f 1)" = "$hex"
}

offline() {
    need openssl
    need sha256sum
    check "SHA256SUMS" sha256sum -c SHA256SUMS
@OFFLINE@
}

bundles() {
    need "$cosign"
    # cosign 2 must be told what cosign 3 takes for granted. The empty trusted root keeps both from asking the network.
    new=
    if "$cosign" verify-blob-attestation --help 2>&1 | grep -q -e --new-bundle-format; then
        new=--new-bundle-format
    fi
@BUNDLES@
}

online() {
    need "$cosign"
@ONLINE@
}

offline
case ${1:-} in
    '') ;;
    --cosign) bundles ;;
    --online)
        bundles
        online
        ;;
    *)
        echo "usage: sh recheck.sh [--cosign | --online]" >&2
        exit 2
        ;;
esac
if [ "$failed" -eq 0 ]; then
    echo "everything holds"
else
    echo "$failed checks FAILED"
    exit 1
fi
