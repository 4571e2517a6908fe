# documented.awk - with docs/header.awk: one line per public function: name, "yes" if a comment belongs to it, header.
function begin_header(name) { header_name = name }
function overview(title, text) {}
function paragraph(text) {}
function declaration(comment, code) {}
function functions(comment, n,    i)
{
    for (i = 0; i < n; i++) { printf "%s\t%s\t%s\n", function_name[i], comment != "" ? "yes" : "", header_name }
}
function end_header() {}
