# header.awk - reads public headers as manuals. A writer (reference.awk, manual.awk) adds the functions it calls:
#
#   begin_header(name)              "solo/pool.h"; a new file begins
#   overview(title, text)           the comment at its top
#   paragraph(text)                 a comment that stands alone
#   declaration(comment, code)      a type, constant or macro, as written
#   functions(comment, n)           n prototypes right below one comment: prototype[i], word[i], function_name[i]
#   end_header()
#
# Comments arrive as lines without their decoration, joined by "\n". What is only for the compiler is left out: include
# guards, #include, extern "C", clang's form of the contract words, and the registration macros.

BEGIN {
    words["SOLO_ANY_THREAD"] = "any thread"
    words["SOLO_REACTOR_ONLY"] = "reactor-only"
    words["SOLO_NOT_ON_REACTOR"] = "not on the reactor thread"
    words["SOLO_POOL_ONLY"] = "pool only"
}

# What the contract word means, as one sentence.
function contract_sentence(word)
{
    if (word == "SOLO_REACTOR_ONLY") { return "Only the thread that owns the reactor may call it." }
    if (word == "SOLO_NOT_ON_REACTOR") { return "It may wait: any thread but the reactor thread may call it." }
    if (word == "SOLO_POOL_ONLY") { return "Only code that runs on a pool worker may call it." }
    return "Any thread may call it."
}

# A comment without /* * */, as lines.
function undecorated(line)
{
    sub(/^\/\*+ ?/, "", line)
    sub(/^ \* ?/, "", line)
    sub(/[ \t]*\*\/[ \t]*$/, "", line)
    if (line ~ /^[ \t]*\*?\/?$/) { line = "" }
    return line
}

function flush_functions()
{
    if (prototypes > 0) { functions(comment, prototypes); comment = "" }
    prototypes = 0
}

function flush_code()
{
    flush_functions()
    if (code != "") { declaration(comment, code); comment = "" }
    code = ""
}

function flush_comment()
{
    if (comment != "") { paragraph(comment) }
    comment = ""
}

function open_header()
{
    header = FILENAME
    sub(/.*\/include\//, "", header)
    begin_header(header)
    comment = code = ""
    prototypes = in_comment = in_prototype = skipping = seen_overview = depth = 0
}

function finish_overview(    title, end)
{
    end = index(comment, "\n")
    title = end ? substr(comment, 1, end - 1) : comment
    sub(/^[a-z_]+\.h - /, "", title)
    overview(title, end ? substr(comment, end + 1) : "")
    seen_overview = 1
    comment = ""
}

function take_prototype(text,    name)
{
    gsub(/[ \t\n]+/, " ", text)
    word[prototypes] = text
    sub(/ .*/, "", word[prototypes])
    sub(/^SOLO_[A-Z_]+ /, "", text)
    sub(/SOLO_PUBLIC /, "", text)
    sub(/ __attribute__\(\(.*\)\)/, "", text)
    match(text, /solo_[a-z0-9_]+\(/)
    function_name[prototypes] = substr(text, RSTART, RLENGTH - 1)
    prototype[prototypes++] = text
}

FNR == 1 { if (NR > 1) { flush_code(); flush_comment(); end_header() } open_header() }

# Compiler matters.
skipping {
    if (/^#if/) { skipping++ }
    if (/^#endif/ || (skipping == 1 && /^#else/)) { skipping-- }
    next
}
!in_comment && (/^#if.*__cplusplus/ || /^#ifdef SOLO_CHECKS/ || /^#if defined\(__clang__\)/) { flush_code(); flush_comment(); skipping = 1; next }
!in_comment && (/^#ifndef SOLO_[A-Z_]*_H$/ || /^#define SOLO_[A-Z_]*_H$/ || /^#include/ || /^#endif/ || /^#undef/) { next }

# Comments at the margin.
!in_comment && depth == 0 && code_open == 0 && !in_prototype && /^\/\*/ {
    flush_code(); flush_comment()
    in_comment = 1
    comment = ""
}
in_comment {
    line = undecorated($0)
    comment = comment == "" ? line : comment "\n" line
    if (/\*\//) {
        in_comment = 0
        sub(/^\n+/, "", comment); sub(/\n+$/, "", comment)
        if (!seen_overview) { finish_overview() }
    }
    next
}

# Prototypes.
in_prototype { text = text " " $0; if (/;/) { in_prototype = 0; take_prototype(text) } next }
$1 in words && /^SOLO_/ {
    if (code != "") { flush_code() }
    text = $0
    if (/;/) { take_prototype(text) } else { in_prototype = 1 }
    next
}

/^[ \t]*$/ && depth == 0 && !code_open { flush_code(); flush_comment(); next }

# Everything else is a declaration, kept as written; several without a blank line between are one.
{
    flush_functions()
    code = code == "" ? $0 : code "\n" $0
    braces = $0
    depth += gsub(/{/, "", braces) - gsub(/}/, "", braces)
    code_open = /\\$/
}

END { flush_code(); flush_comment(); end_header() }
