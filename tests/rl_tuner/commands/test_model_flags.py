from binaries import assert_refused, run_binary


def test_shipped_model_is_taken_where_none_is_named_and_it_is_said(tmp_path):
    for program, *flags in (
        ("rl_tuner_generate", "--output_dir=melodies", "--num_outputs=1"),
        ("rl_tuner_evaluate", "--num_melodies=20"),
        ("rl_tuner_export", "--format=magentajs", "--output=model"),
    ):
        result = run_binary(program, *flags, cwd=tmp_path, is_new=True)
        assert result.returncode == 0, result.stderr
        first = result.stdout.splitlines()[0]
        assert first.startswith("no model is named: taking ")
        assert first.endswith("note_rnn, which comes with --task=melody")
    assert (tmp_path / "melodies" / "melody_01.mid").exists()


def test_users_own_task_has_none_that_is_shipped(tmp_path):
    (tmp_path / "own.py").write_text("from toy import CountingTask as Own")
    (tmp_path / "toy.py").write_text(
        "from rl_tuner.task import Task\n\n\nclass CountingTask(Task):\n    pass\n"
    )
    result = run_binary("rl_tuner_evaluate", "--task=own:Own", cwd=tmp_path)
    assert_refused(result, "this task ships no model; name one by --checkpoint_dir")
