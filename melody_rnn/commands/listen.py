"""Shows a local page to hear models on, and to judge them blindly in a listening study.

  rl_tuner_listen --models=mle=my_note_rnn,psi=rl_tuner_runs/psi_paper_rules_001
  rl_tuner_listen --study=study.db

The first command generates and renders melodies of each model once, into the study's
file; the second resumes the same study. Only this machine reaches the page.
"""

import logging

from absl import flags

from rl_tuner.commands import cli
from rl_tuner.errors import UserError

FLAGS = flags.FLAGS

flags.DEFINE_string(
    "models",
    "",
    "name=DIR,name=DIR,...: runs of rl_tuner_train, or checkpoints of untuned models; "
    "those that the study does not have yet are added to it.",
)
flags.DEFINE_string(
    "study",
    "study.db",
    "The file that keeps melodies and votes; begun if there is none.",
)
flags.DEFINE_integer("port", 8765, "Of the page, at 127.0.0.1; 0 takes a free one.")
# None: as the study was begun with.
flags.DEFINE_integer(
    "num_melodies", None, "Of each model in the study; 20 unless the study has others."
)
flags.DEFINE_integer(
    "num_steps", None, "Sixteenths in every melody; 32 unless the study has others."
)
flags.DEFINE_float(
    "temperature", None, "Of the study's melodies; 1 unless the study has another."
)
flags.DEFINE_integer(
    "seed", None, "Of the study's melodies; 0 unless the study has another."
)


def main() -> None:
    """Adds what is missing to the study and serves the page until interrupted."""
    _check_flags()
    try:
        from melody_rnn.listening import sources, web
        from melody_rnn.listening.catalogue import Catalogue
        from melody_rnn.listening.store import Store
        from melody_rnn.listening.study_settings import StudySettings
    except ModuleNotFoundError as error:
        raise UserError(
            f"rl_tuner_listen needs {error.name}, which is not installed; "
            "pip install 'rl-tuner[listen]'"
        ) from error
    models = sources.parse_models(FLAGS.models)
    study = Store(FLAGS.study)
    with study.told():
        settings = StudySettings.of_study(
            study,
            num_melodies=FLAGS.num_melodies,
            num_steps=FLAGS.num_steps,
            temperature=FLAGS.temperature,
            seed=FLAGS.seed,
        )
        shown = Catalogue(study, settings)
        server = web.make_local_server(web.create_app(study, shown), FLAGS.port)
        shown.add_models(models)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    print(f"Listen at http://{web.HOST}:{server.port}/ (Ctrl-C ends)", flush=True)
    server.serve_forever()  # returns on an interrupt from the keyboard
    study.close()
    print("The study is kept in", study.path)


def _check_flags() -> None:
    if not 0 <= FLAGS.port < 65536:
        raise UserError(f"--port={FLAGS.port} must be 0 to 65535")
    if FLAGS.num_melodies is not None and not 1 <= FLAGS.num_melodies <= 128:
        raise UserError(f"--num_melodies={FLAGS.num_melodies} must be 1 to 128")
    if FLAGS.num_steps is not None and not 4 <= FLAGS.num_steps <= 256:
        raise UserError(f"--num_steps={FLAGS.num_steps} must be 4 to 256")
    if FLAGS.temperature is not None and not 0.0 < FLAGS.temperature <= 20.0:
        raise UserError(f"--temperature={FLAGS.temperature} must be above 0, to 20")
    if FLAGS.seed is not None and not 0 <= FLAGS.seed < 2**31:
        raise UserError(f"--seed={FLAGS.seed} must be 0 to {2**31 - 1}")


def console_entry() -> None:
    """Runs the binary."""
    cli.run(main)


if __name__ == "__main__":
    console_entry()
