# reference.awk - one Markdown page per public header; with header.awk. -v folder=docs/reference

# Prose of a comment: paragraphs and lists stay, indented lines are code, "Instead:" and its kin become a list.
function prose(text,    n, lines, i, line, out, in_code)
{
    n = split(text, lines, "\n")
    out = ""
    for (i = 1; i <= n; i++) {
        line = lines[i]
        if (line ~ /^    / && (in_code || lines[i - 1] == "")) {
            if (!in_code) { out = out "```\n" }
            in_code = 1
            out = out substr(line, 5) "\n"
            continue
        }
        if (in_code) { out = out "```\n"; in_code = 0 }
        if (line ~ /^(Instead|Runs): / || line ~ /^Blocks\.$/) {
            sub(/^[A-Za-z]+/, "**&**", line)
            if (!was_item) { out = out "\n" }
            out = out "- " escaped(line) "\n"
            was_item = 1
            continue
        }
        was_item = 0
        out = out escaped(line) "\n"
    }
    if (in_code) { out = out "```\n" }
    return out
}

function escaped(line)
{
    gsub(/</, "\\&lt;", line)
    if (line !~ /^- \*\*|^\*\*/) { gsub(/\*/, "\\*", line) }
    return line
}

# A long prototype, broken after commas.
function folded(text,    out, room, cut)
{
    room = 96; out = ""
    while (length(text) > room) {
        cut = room
        while (cut > 1 && substr(text, cut, 2) != ", ") { cut-- }
        if (cut <= 1) { break }
        out = out substr(text, 1, cut) "\n    "
        text = substr(text, cut + 2)
        room = 92
    }
    return out text
}

function begin_header(name)
{
    file = name
    sub(/.*\//, "", file); sub(/\.h$/, ".md", file)
    file = folder "/" file
    printf "<!-- Generated from %s by `make docs`; edit the header. -->\n# `#include <%s>`\n", name, name > file
}
function overview(title, text)
{
    if (!index_file) {
        index_file = folder "/README.md"
        printf "<!-- Generated from the public headers by `make docs`. -->\n# Reference\n\n| header | what it is about |\n|---|---|\n" > index_file
    }
    page = file
    sub(/.*\//, "", page)
    sub(/\.$/, "", title)
    printf "| [%s](%s) | %s |\n", header, page, escaped(title) > index_file
    printf "\n**%s**\n%s", escaped(toupper(substr(title, 1, 1)) substr(title, 2)), prose(text) > file
}
function paragraph(text)
{
    if (text ~ /^---- .* ----$/) {
        gsub(/(^---- )|(\.? ----$)/, "", text)
        printf "\n## %s\n", escaped(text) > file
        return
    }
    printf "\n%s", prose(text) > file
}
function declaration(comment, code)
{
    printf "\n%s```c\n%s\n```\n", comment == "" ? "" : prose(comment) "\n", code > file
}
function functions(comment, n,    i, titles, same)
{
    titles = "`" function_name[0] "`"
    same = 1
    for (i = 1; i < n; i++) {
        titles = titles ", `" function_name[i] "`"
        same = same && word[i] == word[0]
    }
    printf "\n### %s\n\n```c\n", titles > file
    for (i = 0; i < n; i++) { print folded(prototype[i]) > file }
    printf "```\n\n" > file
    for (i = 0; i < (same ? 1 : n); i++) {
        printf "**Contract%s: %s.** %s\n", same ? "" : " of `" function_name[i] "`", words[word[i]], contract_sentence(word[i]) > file
    }
    printf "\n%s", prose(comment) > file
}
function end_header() { close(file) }
