import TarnCore
import TarnData

extension Preprocessing.Resize {
  /// The size a picture of the given one gets.
  func size(
    of whole: (width: Int, height: Int), _ rounding: Preprocessing.Rounding
  ) -> (width: Int, height: Int) {
    switch self {
    case .none: return whole
    case .exactly(let height, let width): return (max(1, width), max(1, height))
    case .shortSide(let side):
      let (short, long) = (min(whole.width, whole.height), max(whole.width, whole.height))
      let half = rounding == .nearest ? short / 2 : 0
      // A line of one pixel's height would get far too long.
      let other = min(Image.longestSide, (max(1, side) * long + half) / max(1, short))
      return whole.width <= whole.height
        ? (max(1, side), other) : (other, max(1, side))
    }
  }
}

extension Preprocessing {
  /// Height and width of what comes out; nil where they depend on the picture.
  public var outputSize: [Int]? {
    if let crop, crop.count == 2, crop.allSatisfy({ $0 > 0 }) { return crop }
    if case .exactly(let height, let width) = resize { return [height, width] }
    return nil
  }

  /// Where a middle of this size begins. Negative where the picture is smaller, and then rounded
  /// towards the left and the top.
  static func centre(
    width: Int, height: Int, of whole: (width: Int, height: Int), _ rounding: Rounding
  ) -> (x: Int, y: Int) {
    func place(_ wanted: Int, _ there: Int) -> Int {
      guard there >= wanted else { return -((wanted - there) / 2) }
      let half = Double(there - wanted) / 2
      return Int(half.rounded(rounding == .torchvision ? .toNearestOrEven : .down))
    }
    return (place(width, whole.width), place(height, whole.height))
  }

  /// What is done to a picture of one size: scale it, and take a part.
  struct Plan {
    /// Size of the scaled picture.
    let scaled: (width: Int, height: Int)
    /// The part of the scaled picture that is taken; all of it lies within.
    let area: PixelRectangle
    /// Size of the result.
    let width: Int
    let height: Int
    /// Where the part goes in the result.
    let x: Int
    let y: Int
    /// The picture's pixels that this takes.
    let needed: PixelRectangle
  }

  func plan(_ whole: (width: Int, height: Int)) -> Plan {
    let scaled = resize.size(of: whole, rounding)
    guard let crop, crop.count == 2, crop.allSatisfy({ $0 > 0 }) else {
      let area = PixelRectangle(width: scaled.width, height: scaled.height)
      return Plan(
        scaled: scaled, area: area, width: scaled.width, height: scaled.height, x: 0, y: 0,
        needed: PixelRectangle(width: whole.width, height: whole.height))
    }
    let (height, width) = (crop[0], crop[1])
    let start = Self.centre(width: width, height: height, of: scaled, rounding)
    let area = PixelRectangle(
      x: max(0, start.x), y: max(0, start.y), width: min(width, scaled.width),
      height: min(height, scaled.height))
    return Plan(
      scaled: scaled, area: area, width: width, height: height, x: max(0, -start.x),
      y: max(0, -start.y),
      needed: ImagePart.needed(for: area, scaledTo: scaled, of: whole, interpolation))
  }

  /// The picture scaled and cropped, still of bytes: what a network sees, for people.
  public func cropped(_ image: Image) throws -> Image {
    try cropped(ImagePart(image))
  }

  func cropped(_ part: ImagePart) throws -> Image {
    let plan = plan((part.wholeWidth, part.wholeHeight))
    guard Image.isPossible(plan.width, plan.height) else {
      throw DataError(
        .unsupported, file: "picture",
        reason: "has \(part.wholeWidth)×\(part.wholeHeight) pixels and would get "
          + "\(plan.width)×\(plan.height), more than there may be",
        hint: "give the preprocessing a crop")
    }
    let taken = try part.resized(to: plan.scaled, taking: plan.area, interpolation)
    guard taken.width != plan.width || taken.height != plan.height else { return taken }
    return taken.cropped(x: -plan.x, y: -plan.y, width: plan.width, height: plan.height)
  }
}
