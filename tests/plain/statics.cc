/*
 * statics.cc - static variables of functions in C++, whose initialisers take locks: other threads come while they run.
 *
 * usage: statics once|throws|deadlock|fixed
 *     once      two threads want one variable: it is initialised once, and whole when it is seen
 *     throws    the first initialiser ends by an exception: the next caller initialises
 *     deadlock  an initialiser wants a lock whose holder wants the variable
 *     fixed     the same, and the lock is let go of before
 */
#undef NDEBUG
#include <cassert>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>

static std::recursive_mutex lock;
static int begun; /* under the lock */
static bool breaks;

struct Table {
    int first, second;
    Table() : first(1)
    {
        {
            std::lock_guard<std::recursive_mutex> guard(lock);
            if (++begun == 1 && breaks) {
                throw std::runtime_error("not yet");
            }
        }
        std::this_thread::yield();
        second = 2;
    }
};

static Table &table()
{
    static Table table;
    return table;
}

static void use()
{
    try {
        Table &mine = table();
        assert(mine.first == 1 && mine.second == 2);
    } catch (const std::runtime_error &) {
        assert(breaks);
    }
}

static void use_under_lock(bool fixed)
{
    lock.lock();
    if (fixed) {
        lock.unlock();
    }
    use();
    if (!fixed) {
        lock.unlock();
    }
}

int main(int argc, char **argv)
{
    std::string way = argc > 1 ? argv[1] : "once";
    breaks = way == "throws";
    if (way == "deadlock" || way == "fixed") {
        std::thread one(use), other(use_under_lock, way == "fixed");
        one.join();
        other.join();
        return 0;
    }
    std::thread one(use), other(use);
    one.join();
    other.join();
    assert(begun == (breaks ? 2 : 1));
    return 0;
}
