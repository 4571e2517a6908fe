/*
 * program_file.c - reading the dynamic section of an ELF file.
 *
 * A program behind a wrapper (env, timeout, valgrind) is found by what it needs: the first argument that is a program
 * and uses libsolo or threads. Wrappers do neither.
 */
#define _GNU_SOURCE
#include "program_file.h"
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* A file in memory, and what is found in it. Nothing in it is believed. */
struct elf {
    const unsigned char *bytes;
    size_t size;
    bool is_program, is_dynamic, is_other_machine;
    bool uses_kit, uses_threads, uses_asan, uses_tsan, has_accesses;
    char runtime[32];    /* its sanitizer's library, "" if there is none */
    bool calls_pthreads; /* by itself: not through the kit or another library */
    uint64_t taken[16];  /* where functions of pthreads are that a sanitizer in the file takes before the C library */
    unsigned taken_count;
    mode_t mode;
};

/* `size` bytes at `offset`, or NULL if the file has no such. */
static const void *part(const struct elf *elf, uint64_t offset, uint64_t size)
{
    return offset <= elf->size && size <= elf->size - offset ? elf->bytes + offset : NULL;
}

static const Elf64_Phdr *segment(const struct elf *elf, const Elf64_Ehdr *header, unsigned index)
{
    return part(elf, header->e_phoff + (uint64_t)index * sizeof(Elf64_Phdr), sizeof(Elf64_Phdr));
}

/* Where in the file an address is that the program will have. UINT64_MAX: nowhere. */
static uint64_t offset_of(const struct elf *elf, const Elf64_Ehdr *header, uint64_t address)
{
    for (unsigned i = 0; i < header->e_phnum; i++) {
        const Elf64_Phdr *load = segment(elf, header, i);
        if (load != NULL && load->p_type == PT_LOAD && address >= load->p_vaddr &&
            address - load->p_vaddr < load->p_filesz) {
            return address - load->p_vaddr + load->p_offset;
        }
    }
    return UINT64_MAX;
}

static const char *text_at(const struct elf *elf, uint64_t table, uint64_t table_size, uint64_t offset)
{
    const char *texts = part(elf, table, table_size);
    return texts != NULL && offset < table_size && memchr(texts + offset, '\0', table_size - offset) != NULL
               ? texts + offset
               : "";
}

static void note_needed(struct elf *elf, const char *name)
{
    static const char *const with_threads[] = {"libstdc++.so", "libc++.so", "libpthread.so"};
    elf->uses_kit = elf->uses_kit || strcmp(name, "libsolo.so") == 0;
    if (strncmp(name, "libasan.so", 10) == 0 || strncmp(name, "libtsan.so", 10) == 0) {
        elf->uses_asan = elf->uses_asan || name[3] == 'a';
        elf->uses_tsan = elf->uses_tsan || name[3] == 't';
        snprintf(elf->runtime, sizeof elf->runtime, "%s", name);
    }
    for (size_t i = 0; i < sizeof with_threads / sizeof with_threads[0]; i++) {
        elf->uses_threads = elf->uses_threads || strncmp(name, with_threads[i], strlen(with_threads[i])) == 0;
    }
}

/* What starts a thread of the C library's, or waits for one. */
static bool is_of_pthreads(const char *name)
{
    static const char *const names[] = {
        "pthread_create",       "thrd_create", "pthread_mutex_lock",    "mtx_lock",
        "pthread_cond_wait",    "cnd_wait",    "pthread_rwlock_rdlock", "pthread_rwlock_wrlock",
        "pthread_barrier_wait", "sem_wait",    "pthread_spin_lock"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(name, names[i]) == 0) {
            return true;
        }
    }
    return false;
}

static void note_symbol(struct elf *elf, const char *name, const Elf64_Sym *symbol)
{
    if (is_of_pthreads(name) && symbol->st_shndx == SHN_UNDEF) {
        elf->calls_pthreads = true;
    } else if (is_of_pthreads(name) && elf->taken_count < sizeof elf->taken / sizeof elf->taken[0]) {
        elf->taken[elf->taken_count++] = symbol->st_value;
    }
    elf->uses_asan = elf->uses_asan || strcmp(name, "__asan_init") == 0;
    elf->uses_tsan = elf->uses_tsan || strcmp(name, "__tsan_init") == 0;
    elf->uses_threads = elf->uses_threads || strcmp(name, "pthread_create") == 0 || strcmp(name, "thrd_create") == 0;
    elf->has_accesses = elf->has_accesses || strcmp(name, "solo_interpose_access") == 0;
}

/* The symbols lie before the names, which is as good as a count. */
static void read_symbols(struct elf *elf, uint64_t symbols, uint64_t names, uint64_t names_size)
{
    for (uint64_t at = symbols; at + sizeof(Elf64_Sym) <= names; at += sizeof(Elf64_Sym)) {
        const Elf64_Sym *symbol = part(elf, at, sizeof *symbol);
        if (symbol == NULL) {
            return;
        }
        note_symbol(elf, text_at(elf, names, names_size, symbol->st_name), symbol);
    }
}

static void read_dynamic(struct elf *elf, const Elf64_Ehdr *header, const Elf64_Phdr *dynamic)
{
    uint64_t names = UINT64_MAX, names_size = 0, symbols = UINT64_MAX;
    const Elf64_Dyn *entries = part(elf, dynamic->p_offset, dynamic->p_filesz);
    size_t count = entries != NULL ? dynamic->p_filesz / sizeof *entries : 0;
    for (size_t i = 0; i < count; i++) {
        switch (entries[i].d_tag) {
        case DT_STRTAB: names = offset_of(elf, header, entries[i].d_un.d_ptr); break;
        case DT_STRSZ: names_size = entries[i].d_un.d_val; break;
        case DT_SYMTAB: symbols = offset_of(elf, header, entries[i].d_un.d_ptr); break;
        default: break;
        }
    }
    for (size_t i = 0; i < count && entries[i].d_tag != DT_NULL; i++) {
        if (entries[i].d_tag == DT_NEEDED) {
            note_needed(elf, text_at(elf, names, names_size, entries[i].d_un.d_val));
        }
    }
    if (symbols < names && names != UINT64_MAX) {
        read_symbols(elf, symbols, names, names_size);
    }
}

static bool is_taken(const struct elf *elf, uint64_t address)
{
    for (unsigned i = 0; i < elf->taken_count; i++) {
        if (elf->taken[i] == address) {
            return true;
        }
    }
    return false;
}

/*
 * A program with its sanitizer's runtime in itself has all functions of pthreads, called or not. The program calls them
 * directly, which the runtime never does: a call or jump with an offset of four bytes.
 */
static void look_for_calls(struct elf *elf, const Elf64_Phdr *code)
{
    enum { CALL = 0xe8, JUMP = 0xe9, LENGTH = 5 };
    const unsigned char *bytes = part(elf, code->p_offset, code->p_filesz);
    for (uint64_t at = 0; bytes != NULL && at + LENGTH <= code->p_filesz && !elf->calls_pthreads; at++) {
        int32_t offset;
        if (bytes[at] == CALL || bytes[at] == JUMP) {
            memcpy(&offset, bytes + at + 1, sizeof offset);
            elf->calls_pthreads = is_taken(elf, code->p_vaddr + at + LENGTH + (uint64_t)(int64_t)offset);
        }
    }
}

static void read_elf(struct elf *elf)
{
    const Elf64_Ehdr *header = part(elf, 0, sizeof *header);
    if (header == NULL || memcmp(header->e_ident, ELFMAG, SELFMAG) != 0) {
        return;
    }
    elf->is_program = true;
    if (header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_machine != EM_X86_64) {
        elf->is_other_machine = true;
        return;
    }
    for (unsigned i = 0; i < header->e_phnum; i++) {
        const Elf64_Phdr *at = segment(elf, header, i);
        elf->is_dynamic = elf->is_dynamic || (at != NULL && at->p_type == PT_INTERP);
        if (at != NULL && at->p_type == PT_DYNAMIC) {
            read_dynamic(elf, header, at);
        }
    }
    for (unsigned i = 0; elf->uses_kit && elf->taken_count != 0 && i < header->e_phnum; i++) {
        const Elf64_Phdr *at = segment(elf, header, i);
        if (at != NULL && at->p_type == PT_LOAD && (at->p_flags & PF_X) != 0) {
            look_for_calls(elf, at);
        }
    }
}

/* Reads the file at this path. False: there is none, or it may not be executed. */
static bool look_at(const char *path, struct elf *elf)
{
    struct stat status;
    memset(elf, 0, sizeof *elf);
    int fd = access(path, X_OK) == 0 ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0) {
        return false;
    }
    if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0) {
        void *bytes = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (bytes != MAP_FAILED) {
            elf->bytes = bytes;
            elf->size = (size_t)status.st_size;
            elf->mode = status.st_mode;
            read_elf(elf);
            munmap(bytes, elf->size);
            elf->bytes = NULL;
        }
    }
    close(fd);
    return elf->size != 0;
}

/* The file that a command name means: itself, or the one in PATH. "": none. */
static void find_command(const char *name, char path[SOLO__PATH_MAX])
{
    const char *folders = getenv("PATH");
    path[0] = '\0';
    if (strchr(name, '/') != NULL || folders == NULL) {
        snprintf(path, SOLO__PATH_MAX, "%s", name);
        return;
    }
    while (*folders != '\0') {
        size_t length = strcspn(folders, ":");
        struct stat status;
        snprintf(path, SOLO__PATH_MAX, "%.*s/%s", length != 0 ? (int)length : 1, length != 0 ? folders : ".", name);
        if (access(path, X_OK) == 0 && stat(path, &status) == 0 && S_ISREG(status.st_mode)) {
            return;
        }
        folders += length + (folders[length] == ':');
    }
    path[0] = '\0';
}

static int refuse(char why[SOLO_EVIDENCE_MAX], const char *path, const char *reason)
{
    snprintf(why, SOLO_EVIDENCE_MAX, "%.200s: %s", path, reason);
    return -ENOTSUP;
}

static int take(const char *path, const struct elf *elf, struct solo__program_file *file, char why[SOLO_EVIDENCE_MAX])
{
    if (elf->uses_kit && elf->calls_pthreads && elf->uses_tsan) {
        return refuse(
            why, path,
            "calls pthreads beside libsolo and is built with ThreadSanitizer, which cannot follow threads of "
            "both: explore it without, or with AddressSanitizer; or start its threads with solo_thread_create");
    }
    char *real = realpath(path, NULL);
    snprintf(file->path, sizeof file->path, "%s", real != NULL ? real : path);
    free(real);
    file->uses_kit = elf->uses_kit;
    file->is_plain = !elf->uses_kit || elf->calls_pthreads;
    file->takes_preload = elf->uses_kit && !elf->uses_asan && !elf->uses_tsan;
    file->uses_asan = elf->uses_asan;
    file->has_accesses = elf->has_accesses;
    snprintf(file->runtime, sizeof file->runtime, "%s", elf->runtime);
    return 0;
}

int solo__program_look(char *const argv[], struct solo__program_file *file, char why[SOLO_EVIDENCE_MAX])
{
    struct elf first, other;
    char path[SOLO__PATH_MAX];
    memset(file, 0, sizeof *file);
    find_command(argv[0], path);
    if (!look_at(path, &first)) {
        return 0;
    }
    if (first.uses_kit) {
        return take(path, &first, file, why);
    }
    for (unsigned i = 1; !first.uses_threads && argv[i] != NULL; i++) {
        if (strchr(argv[i], '/') != NULL && look_at(argv[i], &other) && (other.uses_kit || other.uses_threads)) {
            return take(argv[i], &other, file, why);
        }
    }
    if (!first.is_program) {
        return 0; /* a script: what it starts may well use libsolo */
    }
    if (first.is_other_machine) {
        return refuse(why, path, "is not a program for 64-bit x86, so it cannot be simulated");
    }
    if (!first.is_dynamic) {
        return refuse(why, path, "is linked statically, so nothing can be put between it and the C library");
    }
    if ((first.mode & (S_ISUID | S_ISGID)) != 0) {
        return refuse(why, path, "is set-uid or set-gid, so the system lets nothing be loaded into it");
    }
    return take(path, &first, file, why);
}
