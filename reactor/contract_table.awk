# contract_table.awk - reads the public headers, writes the contract table and its indexes.
#
#   awk -v table=contract_table.c -v ids=contract_ids.h -f contract_table.awk reactor/include/solo/*.h
#
# A row is made for each prototype that starts, in the first column, with one of the four contract words. What the comment
# says on lines of its own ("Instead: ...", "Runs: ...", "Blocks.") goes to every prototype of the run right below that
# comment; a blank line or anything else ends the run.

BEGIN {
    words["SOLO_ANY_THREAD"]; words["SOLO_REACTOR_ONLY"]; words["SOLO_NOT_ON_REACTOR"]; words["SOLO_POOL_ONLY"]
    count = 0
}

function forget()
{
    instead = runs = ""; blocks = 0
}

# The text after a keyword, without comment end and full stop, fit for a C string.
function text_after(line, keyword)
{
    sub(/^[ \t\/*]*/, "", line)
    line = substr(line, length(keyword) + 1)
    sub(/[ \t]*(\*\/)?[ \t]*$/, "", line)
    sub(/\.$/, "", line)
    sub(/^[ \t]*/, "", line)
    gsub(/[\\"]/, "\\\\&", line)
    return line
}

function finish_prototype()
{
    if (!match(prototype, /solo_[a-z0-9_]+\(/)) {
        printf "%s:%d: a contract word without a function\n", FILENAME, line_of > "/dev/stderr"
        failed = 1
        return
    }
    name = substr(prototype, RSTART, RLENGTH - 1)
    for (at = count; at > 0 && names[at - 1] > name; at--) {
        names[at] = names[at - 1]; rows[at] = rows[at - 1]
    }
    header = FILENAME
    sub(/.*\/include\//, "", header)
    kind = word
    sub(/^SOLO_/, "SOLO_CONTRACT_", kind)
    names[at] = name
    rows[at] = sprintf("    {\"%s\", %s, \"%s\", %d, %d, \"%s\", \"%s\"},", name, kind, header, line_of, blocks, instead, runs)
    count++
}

FNR == 1 { forget(); in_comment = in_prototype = 0 }

in_prototype {
    prototype = prototype " " $0
    if (/;/) { in_prototype = 0; finish_prototype() }
    next
}

!in_comment && /^[ \t]*\/\*/ { forget(); in_comment = 1 }
in_comment {
    if (/^[ \t\/*]*Instead: /) { instead = text_after($0, "Instead:") }
    if (/^[ \t\/*]*Runs: /) { runs = text_after($0, "Runs:") }
    if (/^[ \t\/*]*Blocks\./) { blocks = 1 }
    if (/\*\//) { in_comment = 0 }
    next
}

$1 in words && /^SOLO_/ {
    word = $1; line_of = FNR; prototype = $0
    if (/;/) { finish_prototype() } else { in_prototype = 1 }
    next
}

{ forget() }

END {
    if (failed) { exit 1 }
    print "/* Generated from the public headers by contract_table.awk. */" > table
    print "#include <solo/contract.h>\n" > table
    print "extern const struct solo_contract solo__contracts[];" > table
    print "extern const unsigned solo__contracts_count;\n" > table
    print "const struct solo_contract solo__contracts[] = {" > table
    print "/* Generated from the public headers by contract_table.awk. */" > ids
    print "#ifndef SOLO__CONTRACT_IDS_H\n#define SOLO__CONTRACT_IDS_H\nenum {" > ids
    for (at = 0; at < count; at++) {
        print rows[at] > table
        printf "    SOLO__FN_%s = %d,\n", names[at], at > ids
    }
    printf "};\n\nconst unsigned solo__contracts_count = %d;\n", count > table
    print "};\n#endif" > ids
}
