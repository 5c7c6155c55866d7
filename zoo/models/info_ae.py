"""The Information Maximizing Autoencoder, to the letter and in a form that trains."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from zoo.autoencoder import Autoencoder
from zoo.bottlenecks import Deterministic
from zoo.models.extends import extends
from zoo.networks import Networks, build_networks
from zoo.networks.critic import encoder_on_critic
from zoo.networks.dcgan import dcgan_decoder, dcgan_encoder
from zoo.registry import register

# The root of the summed squares over a batch of 128 weighs sqrt(128) times the mean of the examples' roots.
BATCH_ROOT = 128**0.5
TEACHER_WEIGHT = 10.0
# Units of an encoder's own layers behind those of the discriminator.
SHARING = (256,)
# Of the classes that keep under views; without a teacher.
CONSISTENCY_WEIGHT = 3.0
# With the weight 1, generated pictures of a wrong class moved real codes: the model agreed with its teacher
# on 98.1 % of 20,000 training digits of MNIST after 4 epochs, with .1 on 99.1 % after 3.
TAUGHT_ALPHA = 0.1


@register("info_ae", kind="model")
def info_ae(
    input_shape: Sequence[int],
    latents: int = 64,
    classes: int = 10,
    noise_units: int = 100,
    generator: Sequence[int] = (256,),
    classifier: Sequence[int] = (256,),
    critic: Sequence[int] = (32, 64),
    networks: Any = None,
    alpha: Any = 1.0,
    beta: Any = 1.0,
    gamma: Any = 0.4,
    form: str = "saturating",
    both_pairs: bool = False,
    spread: bool = False,
    norm: str = "batch",
    label_smoothing: float = 0.0,
    instance_noise: Any = 0.0,
    critic_learning_rate: Any = 2e-4,
    critic_steps: int = 1,
    label_scale: float = 1.0,
    shared: bool = False,
    regularizers: Sequence[Any] = (),
    seed: int = 0,
) -> Autoencoder:
    """InfoAE (Haque et al., "Disentangled Representation Learning", 2019).

    Encoder E, decoder D, generator G and classifier C minimise (equation 1)

        alpha [CE(c, C(z_g)) + CE(c, C(E(x_g)))]
            + beta [log(1 - S(E(x), x)) + log(1 - Di(x_r)) + log(1 - Di(x_g))] + gamma ||x_r - x||_2

    with z_g = G(e, c), x_g = D(z_g), x_r = D(E(x)), e ~ U(-1, 1)^100 and c uniform over the classes; the
    discriminator Di and the self critic S maximise their likelihoods, with an Adam each. The paper trains
    everything with Adam at 2e-4: ``compile(zoo.trainer.Adam(2e-4, beta_1=0.5))``. Widths and the code's
    size are not in the paper.

    `model.cluster(x)` is argmax C(E(x)); `model.generate(8, label=3)` decodes G(e, 3).

    Args:
        input_shape: shape of one example.
        latents: dimensions of the code.
        classes: of c.
        noise_units: dimensions of e.
        generator: units of G's hidden layers.
        classifier: units of C's hidden layers.
        critic: filters (pictures) or units (vectors) of Di and S.
        networks: None for strided convolutions with batch normalisation (an MLP for vectors), or as in
            `zoo.networks.build_networks`.
        alpha: weight of the two cross-entropies, a number or a Keras schedule of the training step.
        beta: weight of the adversarial terms, likewise.
        gamma: weight of the reconstruction, the mean over the batch of the examples' roots; likewise.
        form: of the adversarial losses, "saturating" (the paper's), "non_saturating" or "hinge".
        both_pairs: whether S's loss for the generated pair counts for D and G too, as equation 2 has it
            and equation 1 has not.
        spread: whether Di sees the batch's mean standard deviation.
        norm: of the critics' layers, "batch", "spectral" or "none".
        label_smoothing: of the critics.
        instance_noise: standard deviation of the noise on what the critics see, a number or a schedule.
        critic_learning_rate: of the critics' Adam, a number or a schedule.
        critic_steps: updates of the critics for each one of the model.
        label_scale: what c is multiplied by on its way into G, see the prior "generator".
        shared: whether E goes on from the layers of Di, as InfoGAN's recognition network does, with one of
            256 units and the code's; named `networks` then bring the decoder alone, and an encoder of your
            own must begin with layers named "shared". See the plugin "shared_discriminator". The text leaves
            it open.
        regularizers: further regularizers.
        seed: of the noise and the order of the data.

    Returns:
        A built model.

    Example:
        >>> model = zoo.create("info_ae", (6,), latents=4, classes=3, critic=(8,))
        >>> x = np.random.default_rng(0).random((20, 6), np.float32)
        >>> model.encode(x).shape, model.cluster(x).shape, model.generate(5, label=2, seed=0).shape
        ((20, 4), (20,), (5, 6))
    """
    if networks is None and len(input_shape) == 3:
        pair = Networks(dcgan_encoder(), dcgan_decoder(input_shape))
    else:
        pair = build_networks(networks or "mlp", input_shape, None)
    judge: dict[str, Any] = {"name": "discriminator", "hidden": critic}
    if shared:
        judge = {"name": "shared_discriminator", "fakes": "both"}
        if not isinstance(networks, Networks):
            encoder = encoder_on_critic(input_shape, critic, norm, own=SHARING)
            pair = Networks(encoder, pair.decoder)
    critics = {
        "weight": beta,
        "form": form,
        "norm": norm,
        "label_smoothing": label_smoothing,
        "instance_noise": instance_noise,
        "learning_rate": critic_learning_rate,
        "critic_steps": critic_steps,
    }
    return Autoencoder(
        input_shape,
        encoder=pair.encoder,
        bottleneck=Deterministic(latents),
        decoder=pair.decoder,
        likelihood={"name": "squared_error", "reduction": "root", "activation": "sigmoid"},
        prior={
            "name": "generator",
            "classes": classes,
            "noise_units": noise_units,
            "hidden": generator,
            "label_scale": label_scale,
        },
        regularizers=[
            {"name": "mutual_information", "weight": alpha, "hidden": classifier},
            {"name": "self_critic", "both_pairs": both_pairs, "hidden": critic, **critics},
            {**judge, "spread": spread, **critics},
            *regularizers,
        ],
        objective={"name": "elbo", "weight": gamma},
        seed=seed,
    )


@register("info_ae_robust", kind="model")
@extends(info_ae)
def info_ae_robust(
    input_shape: Sequence[int],
    teacher: Any = None,
    bootstrap: Any = 0.0,
    consistency: Any = None,
    class_critic: Any = None,
    view: str = "medium",
    alpha: Any = None,
    gamma: Any = 0.4 * BATCH_ROOT,
    form: str = "non_saturating",
    both_pairs: bool = True,
    spread: bool = True,
    regularizers: Sequence[Any] = (),
    **options: Any,
) -> Autoencoder:
    """InfoAE in a form that trains; not the paper's.

    Minimises InfoAE's objective with these changes: non-saturating losses; S's loss for the generated
    pair for D and G too, without which pictures ignore e; the reconstruction as one root over a batch of
    128; a discriminator that sees the batch's spread; classes that keep under small affine maps t, and a
    critic Dc that tells classes of the data from labels, so that they are as sure and as frequent,

        3 CE(stop(C(E(x))), C(E(t(x)))) + CE(c, C(E(t(x_g)))) - log Dc(C(E(x)))

    or, with a teacher, -10 log C_y(E(t(x))) for the classes y its voters agree on in place of these (see the
    plugins "consistency", "code_discriminator", "self_training" and "invariant_information"). More classes
    than the data have (30 for ten digits) keep apart what few would put together. Train with Adam at 1e-3.

    Args:
        input_shape: shape of one example.
        teacher: a trained model that clusters, such as "invariant_autoencoder", the path of one, a sequence
            of them, or None.
        bootstrap: the share of the own predictions beside the teacher's, a number or a Keras schedule.
        consistency: weight of CE(stop(C(E(x))), C(E(t(x)))), a number or a schedule; 0 leaves it out, None is
            3, or 0 with a teacher. The term of generated pictures has the weight 1, and none with a teacher.
        class_critic: weight of Dc, likewise; None is 1, or 0 with a teacher.
        view: how far t takes the data, without a teacher and in its lesson: "weak", "medium" or "strong".
            Generated pictures go as far as "weak".
        alpha: weight of the two cross-entropies, a number or a schedule; None for 1, or .1 with a teacher.
        gamma: weight of the reconstruction.
        form: of the adversarial losses.
        both_pairs: see `info_ae`.
        spread: see `info_ae`.
        regularizers: further regularizers.
        **options: as in `info_ae`.

    Returns:
        A built model.

    Example:
        >>> model = zoo.create("info_ae_robust", (8, 8, 1), latents=4, classes=3, critic=(4, 8))
        >>> x = np.random.default_rng(0).random((20, 8, 8, 1), np.float32)
        >>> model.cluster(x).shape, model.generate(5, label=2, seed=0).shape
        ((20,), (5, 8, 8, 1))
    """
    alone = teacher is None
    if consistency is None:
        consistency = CONSISTENCY_WEIGHT if alone else 0.0
    if class_critic is None:
        class_critic = 1.0 if alone else 0.0
    added: list[Any] = []
    if _counts(consistency):
        kept = {"pictures": "data", "view": view, "weight": consistency}
        added.append({"name": "consistency", **kept})
    if alone:
        added.append({"name": "consistency", "pictures": "generated"})
    else:
        # Generated pictures of a wrong label would teach E their errors, were the teacher not heard first.
        lesson = {"teacher": teacher, "bootstrap": bootstrap, "view": view}
        added.append({"name": "self_training", "weight": TEACHER_WEIGHT, **lesson})
    if _counts(class_critic):
        added.append({"name": "code_discriminator", "of_classes": True, "weight": class_critic})
    if alpha is None:
        alpha = 1.0 if alone else TAUGHT_ALPHA
    return info_ae(
        input_shape,
        alpha=alpha,
        gamma=gamma,
        form=form,
        both_pairs=both_pairs,
        spread=spread,
        regularizers=[*added, *regularizers],
        **options,
    )


def _counts(weight: Any) -> bool:
    """Whether a term of this weight changes anything: it is a schedule, or not 0."""
    return not isinstance(weight, (int, float)) or weight != 0
