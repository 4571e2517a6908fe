# manual.awk - one man page per public function; with header.awk. -v folder=<build>/man/man3

function troff(text)
{
    gsub(/\\/, "\\e", text)
    gsub(/-/, "\\-", text)
    if (text ~ /^[.']/) { text = "\\&" text }
    return text
}

function body(text, file,    n, lines, i, line)
{
    n = split(text, lines, "\n")
    for (i = 1; i <= n; i++) {
        line = lines[i]
        if (line == "") { print ".PP" > file; continue }
        if (line ~ /^(Instead|Runs): / || line ~ /^Blocks\.$/) {
            print ".PP" > file
            sub(/:? .*|\.$/, "", line)
            printf ".B %s", line > file
            line = substr(lines[i], length(line) + 1)
            if (line ~ /^: /) { printf ":\n%s\n", troff(substr(line, 3)) > file } else { print "." > file }
            continue
        }
        print troff(line) > file
    }
}

# The first sentence of a comment, for NAME and for apropos.
function summary(text)
{
    gsub(/\n/, " ", text)
    if (match(text, /[.;:]( |$)/)) { text = substr(text, 1, RSTART - 1) }
    return text != "" ? text : "see " header_name
}

function begin_header(name) { header_name = name }
function overview(title, text) {}
function paragraph(text) {}
function declaration(comment, code) {}
function functions(comment, n,    i, file)
{
    for (i = 0; i < n; i++) {
        file = folder "/" function_name[i] ".3"
        printf ".TH %s 3 \"\" Solo \"Solo Manual\"\n.SH NAME\n%s \\- %s\n", toupper(function_name[i]), function_name[i],
            troff(summary(comment)) > file
        printf ".SH SYNOPSIS\n.nf\n.B #include <%s>\n.PP\n.BI \"%s\"\n.fi\n", header_name, troff(prototype[i]) > file
        printf ".SH CONTRACT\n.B %s.\n%s\n.SH DESCRIPTION\n", troff(words[word[i]]), troff(contract_sentence(word[i])) > file
        body(comment, file)
        printf ".SH SEE ALSO\n.B solo explain %s\n", function_name[i] > file
        close(file)
    }
}
function end_header() {}
