# wrap_comments.awk - wraps comment lines over 120 columns; prints the file. What it does not touch (comments after code, lines
# that the contract table reads to their end) is left for a person.

{ line[NR] = $0 }

function indent_of(text) { match(text, /^ */); return substr(text, 1, RLENGTH) }

# Whether line `at` goes on with the paragraph of the line before it, under the same prefix.
function goes_on(at, prefix)
{
    return index(line[at], prefix) == 1 && substr(line[at], length(prefix) + 1) ~ /^[^ \/@-]/ &&
        line[at] !~ /^ *\* (Instead|Runs): / && line[at] !~ /^ *\* Blocks\.$/ && line[at] !~ /\*\/$/
}

# Keeps the first 120 columns of line `at`; what is left goes to the next line, or to a new one.
function wrap(at, prefix,    cut, rest, i)
{
    cut = 121
    while (cut > length(prefix) && substr(line[at], cut, 1) != " ") { cut-- }
    if (cut <= length(prefix) + 1) { return }
    rest = substr(line[at], cut + 1)
    line[at] = substr(line[at], 1, cut - 1)
    if (goes_on(at + 1, prefix)) {
        line[at + 1] = prefix rest " " substr(line[at + 1], length(prefix) + 1)
        return
    }
    for (i = count; i > at; i--) { line[i + 1] = line[i] }
    count++
    line[at + 1] = prefix rest
}

# One line /* ... */ becomes a block.
function open_block(at,    indent, text, i)
{
    indent = indent_of(line[at])
    text = line[at]
    sub(/^ *\/\* */, "", text); sub(/ *\*\/$/, "", text)
    for (i = count; i > at; i--) { line[i + 2] = line[i] }
    count += 2
    line[at] = indent "/*"
    line[at + 1] = indent " * " text
    line[at + 2] = indent " */"
}

END {
    count = NR
    for (at = 1; at <= count; at++) {
        if (length(line[at]) > 120 && line[at] ~ /^ *\/\* .*\*\/$/) { open_block(at) }
        if (length(line[at]) > 120 && line[at] ~ /^ *\* / && line[at] !~ /^ *\* (Instead|Runs): |^ *\*     /) {
            wrap(at, indent_of(line[at]) "* ")
        }
        print line[at]
    }
}
