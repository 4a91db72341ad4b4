import TarnModels

extension LeNet: StandardModel {
  public static let kind = "lenet"

  public static func problem(_ card: ModelCard) -> String? { problem(card.inputShape) }

  public init(_ card: ModelCard) {
    self.init(inputShape: card.inputShape, classes: card.classes)
  }
}
