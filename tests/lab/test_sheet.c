/* Sheets and the lines of their experiments. */
#include "../../tools/lab/experiment.h"
#include "../../tools/lab/sheet.h"

#include <errno.h>
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static int read_text(const char *text, struct sheet *sheet)
{
    char path[] = "/tmp/sheet-XXXXXX";
    int fd = mkstemp(path);

    assert_true(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
    int err = sheet_read(path, sheet);
    unlink(path);
    return err;
}

static void a_sheet_has_text_and_experiments(void **state)
{
    struct sheet s;
    assert_int_equal(read_text("title A lab\n"
                               "predict\n"
                               "  What\n"
                               "    indented\n"
                               "run\n"
                               "  page size=1\n"
                               "  page size=2\n"
                               "see\n"
                               "  That\n",
                               &s),
                     0);
    assert_string_equal(s.title, "A lab");
    assert_string_equal(s.predict, "What\n  indented\n");
    assert_int_equal(s.runs, 2);
    assert_string_equal(s.run[1], "page size=2");
    assert_string_equal(s.see, "That\n");
    assert_null(s.questions);
    sheet_free(&s);
}

static void questions_have_answers_that_are_experiments(void **state)
{
    struct sheet s;
    assert_int_equal(read_text("title A lab\n"
                               "run\n"
                               "  page size=1\n"
                               "answers\n"
                               "  1 page size=2\n"
                               "  12 page size=3\n"
                               "questions\n"
                               "  1. Why?\n",
                               &s),
                     0);
    assert_int_equal(s.runs, 1);
    assert_string_equal(sheet_answer(&s, "1"), "page size=2");
    assert_string_equal(sheet_answer(&s, "12"), "page size=3");
    assert_null(sheet_answer(&s, "2"));
    assert_string_equal(s.questions, "1. Why?\n");
    sheet_free(&s);
}

static void every_sheet_has_its_sections_and_answers_to_its_questions(void **state)
{
    glob_t found;
    struct sheet s;
    struct experiment e;
    assert_int_equal(glob("tools/labs/*/sheet", 0, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        assert_int_equal(sheet_read(found.gl_pathv[i], &s), 0);
        if (s.answers == 0 || !s.predict || !s.see || !s.questions)
            fail_msg("%s lacks a section", found.gl_pathv[i]);
        for (unsigned n = 0; n < s.answers; n++) {
            char number[8] = "";
            sscanf(s.answer[n], "%7s", number);
            if (!experiment_read(sheet_answer(&s, number), &e))
                fail_msg("%s: %s", s.answer[n], e.error);
            /* The question is among them, and its text names the part: "3a". */
            char *letter = number + strspn(number, "0123456789");
            if (*letter)
                assert_non_null(strstr(s.questions, number));
            memcpy(letter, ". ", 3);
            assert_non_null(strstr(s.questions, number));
        }
        sheet_free(&s);
    }
    globfree(&found);
}

static void what_is_no_sheet_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "title A\n",
        "run\n  page\n",
        "title A\nverdict\n  x\nrun\n  page\n",
        "  text before all\ntitle A\nrun\n  page\n",
    };
    struct sheet s;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(read_text(bad[i], &s), -EINVAL);
    assert_int_equal(sheet_read("/nowhere/sheet", &s), -ENOENT);
}

static void a_wrong_experiment_is_refused_with_the_word(void **state)
{
    static const struct {
        const char *line, *why;
    } row[] = {
        { "dance", "unknown experiment 'dance'" },
        { "page colour=1", "unknown key 'colour'" },
        { "page size", "no key=value: 'size'" },
        { "page size=much", "no number: 'much'" },
        { "page strategy=quick", "unknown strategy 'quick'" },
        { "page show=mood", "unknown show= 'mood'" },
    };
    struct experiment e;
    struct figure f;
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        assert_false(experiment_run(row[i].line, &e, &f));
        assert_string_equal(e.error, row[i].why);
    }
}

static void two_writes_with_nagle_wait_for_the_delayed_ack(void **state)
{
    struct experiment e;
    struct figure f;
    assert_true(experiment_run("nagle rtt=20 writes=2 delack=40", &e, &f));
    assert_true(f.measured > 0.080 && f.measured < 0.081);
    assert_true(experiment_run("nagle rtt=20 writes=2 delack=40 nodelay=1", &e, &f));
    assert_true(f.measured > 0.020 && f.measured < 0.021);
}

static void ports_run_out_where_the_client_closes_first(void **state)
{
    struct experiment e;
    struct figure f;
    assert_true(experiment_run("ports ports=20 tw=5 rtt=10 closer=client", &e, &f));
    assert_true(f.measured > 19.5 && f.measured < 20.5);
    assert_true(experiment_run("ports ports=20 tw=5 rtt=10 closer=server", &e, &f));
    assert_true(f.measured > 39.5 && f.measured < 40.5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sheet_has_text_and_experiments),
        cmocka_unit_test(questions_have_answers_that_are_experiments),
        cmocka_unit_test(every_sheet_has_its_sections_and_answers_to_its_questions),
        cmocka_unit_test(what_is_no_sheet_is_refused),
        cmocka_unit_test(a_wrong_experiment_is_refused_with_the_word),
        cmocka_unit_test(two_writes_with_nagle_wait_for_the_delayed_ack),
        cmocka_unit_test(ports_run_out_where_the_client_closes_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
