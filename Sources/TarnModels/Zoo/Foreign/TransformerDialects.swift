import TarnNN
import TarnVision

extension VisionTransformer: Translated {
  func dialects(_ clues: Clues) -> [Dialect] {
    [timm] + ["vit.", ""].map(transformers)
  }

  private var count: Int { encoder.layers.layers.count }

  private var timm: Dialect {
    var dialect = Dialect(
      origin: "timm",
      modules: [
        "patch_embed.proj": "conv_proj", "norm": "encoder.ln", "head": "heads.head",
      ],
      tensors: ["cls_token": "class_token", "pos_embed": "encoder.pos_embedding"],
      preprocessing: .timmHalves(share: 0.9))
    for index in 0..<count {
      let (theirs, ours) = ("blocks.\(index)", "encoder.layers.encoder_layer_\(index)")
      for (name, own) in [
        "norm1": "ln_1", "attn.proj": "self_attention.out_proj", "norm2": "ln_2",
        "mlp.fc1": "mlp.0", "mlp.fc2": "mlp.3",
      ] {
        dialect.modules["\(theirs).\(name)"] = "\(ours).\(own)"
      }
      for kind in ["weight", "bias"] {
        dialect.tensors["\(theirs).attn.qkv.\(kind)"] = "\(ours).self_attention.in_proj_\(kind)"
      }
    }
    return dialect
  }

  /// - Parameter prefix: before all names but the last layer's; a network without one has none.
  private func transformers(_ prefix: String) -> Dialect {
    let embeddings = "\(prefix)embeddings"
    var dialect = Dialect(
      origin: "Hugging Face transformers",
      modules: [
        "\(embeddings).patch_embeddings.projection": "conv_proj",
        "\(prefix)layernorm": "encoder.ln", "classifier": "heads.head",
      ],
      tensors: [
        "\(embeddings).cls_token": "class_token",
        "\(embeddings).position_embeddings": "encoder.pos_embedding",
      ],
      ignored: ["\(prefix)pooler.dense.weight", "\(prefix)pooler.dense.bias"],
      variant: NetworkVariant(epsilon: 1e-12),
      preprocessing: Preprocessing(
        resize: .exactly(height: 224, width: 224), crop: nil, mean: [0.5, 0.5, 0.5],
        deviation: [0.5, 0.5, 0.5]))
    for index in 0..<count {
      let theirs = "\(prefix)encoder.layer.\(index)"
      let ours = "encoder.layers.encoder_layer_\(index)"
      for (name, own) in [
        "layernorm_before": "ln_1", "attention.output.dense": "self_attention.out_proj",
        "layernorm_after": "ln_2", "intermediate.dense": "mlp.0", "output.dense": "mlp.3",
      ] {
        dialect.modules["\(theirs).\(name)"] = "\(ours).\(own)"
      }
      for kind in ["weight", "bias"] {
        dialect.joined["\(ours).self_attention.in_proj_\(kind)"] = ["query", "key", "value"].map {
          "\(theirs).attention.attention.\($0).\(kind)"
        }
      }
    }
    return dialect
  }
}

extension ConvNeXt: Translated {
  func dialects(_ clues: Clues) -> [Dialect] { [timm, transformers] }

  /// The stages' blocks: how many each of the four has.
  private var counts: [Int] { features.layers.compactMap { $0.second?.layers.count } }

  /// Our names by those of the stem's and the last layers, of what stands before a stage, and of a block and its scale.
  private func dialect(
    _ origin: String, _ ends: [String: String], _ downsampling: (Int, Int) -> String,
    _ block: (Int, Int) -> String, _ parts: [String], scale: String, variant: NetworkVariant
  ) -> Dialect {
    var dialect = Dialect(
      origin: origin, modules: ends, variant: variant,
      preprocessing: .torch(share: 0.95, .bicubic))
    for (stage, count) in counts.enumerated() {
      for part in 0..<(stage == 0 ? 0 : 2) {
        dialect.modules[downsampling(stage, part)] = "features.\(2 * stage).\(part)"
      }
      for index in 0..<count {
        let (theirs, ours) = (block(stage, index), "features.\(2 * stage + 1).\(index)")
        for (part, place) in zip(parts, [0, 2, 3, 5]) {
          dialect.modules["\(theirs).\(part)"] = "\(ours).block.\(place)"
        }
        dialect.tensors["\(theirs).\(scale)"] = "\(ours).layer_scale"
      }
    }
    return dialect
  }

  private var timm: Dialect {
    dialect(
      "timm",
      [
        "stem.0": "features.0.0", "stem.1": "features.0.1", "head.norm": "classifier.0",
        "head.fc": "classifier.2",
      ],
      { "stages.\($0).downsample.\($1)" }, { "stages.\($0).blocks.\($1)" },
      ["conv_dw", "norm", "mlp.fc1", "mlp.fc2"], scale: "gamma", variant: .own)
  }

  private var transformers: Dialect {
    var variant = NetworkVariant.own
    variant.epsilons = ["classifier.0": 1e-12]
    return dialect(
      "Hugging Face transformers",
      [
        "convnext.embeddings.patch_embeddings": "features.0.0",
        "convnext.embeddings.layernorm": "features.0.1", "convnext.layernorm": "classifier.0",
        "classifier": "classifier.2",
      ],
      { "convnext.encoder.stages.\($0).downsampling_layer.\($1)" },
      { "convnext.encoder.stages.\($0).layers.\($1)" },
      ["dwconv", "layernorm", "pwconv1", "pwconv2"], scale: "layer_scale_parameter",
      variant: variant)
  }
}
