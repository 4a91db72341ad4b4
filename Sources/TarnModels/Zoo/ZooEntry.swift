import TarnNN
import TarnVision

extension Zoo {
  /// A network by name.
  public struct Entry: Sendable {
    /// As typed on a command line.
    public let name: String
    /// What it is one of, as `ResNet`.
    public let family: String
    /// What it is, in a line.
    public let summary: String
    /// Shape of one picture, [C, H, W].
    public let inputShape: [Int]
    /// How many classes its published weights tell apart.
    public let classes: Int
    /// How many parameters it has with those classes.
    public let parameterCount: Int
    /// Weights that were published for it, those to take first.
    public let weights: [PublishedWeights]
    /// Paths of the layers that give one number a class, the network's own first.
    let heads: [String]
    let make: @Sendable (Options) -> any Layer
    /// From names in files of weights to the network's.
    let renaming: (@Sendable (String) -> String)?

    /// The network with random weights, those of the enclosing `Initialization` scope.
    ///
    /// - Parameters:
    ///   - classes: as many as published by default.
    ///   - hasAuxiliaries: whether it has classifiers on the way, if its family knows them; as published by default.
    ///   - side: pixels of a picture's side, which a vision transformer is built for; others take any.
    ///   - variant: what it computes otherwise, for weights that were trained so.
    public func model(
      classes: Int? = nil, hasAuxiliaries: Bool? = nil, side: Int? = nil,
      variant: NetworkVariant = .own
    ) -> any Layer {
      made(
        Options(
          classes: classes ?? self.classes, hasAuxiliaries: hasAuxiliaries, variant: variant,
          side: side))
    }

    func made(_ options: Options) -> any Layer {
      func applied(_ model: some Layer) -> any Layer { options.variant.applied(to: model) }
      return applied(make(options))
    }

    /// What is done to a picture before it: the rule of its first published weights.
    public var preprocessing: Preprocessing {
      weights.first?.preprocessing ?? .standard(inputShape)
    }
  }

  /// What may differ from one network of a name to another.
  struct Options {
    var classes: Int
    /// Whether there are classifiers on the way; nil for the family's default.
    var hasAuxiliaries: Bool?
    /// What it computes otherwise.
    var variant = NetworkVariant.own
    /// Pixels of an input's side, where it has a bearing on shapes; nil for the default.
    var side: Int?
  }
}

extension Zoo.Entry {
  /// With the weights that torchvision publishes under its name, with `_` for `-`.
  init(
    _ name: String, _ family: String, _ parameterCount: Int, head: String..., side: Int = 224,
    summary: String, renaming: (@Sendable (String) -> String)? = nil,
    more: [PublishedWeights] = [], make: @escaping @Sendable (Zoo.Options) -> any Layer
  ) {
    let torchvision = String(name.map { $0 == "-" ? "_" : $0 })
    self.init(
      name: name, family: family, summary: summary, inputShape: [3, side, side], classes: 1000,
      parameterCount: parameterCount,
      weights: (TorchvisionWeights.all[torchvision] ?? []) + more, heads: head, make: make,
      renaming: renaming)
  }
}
