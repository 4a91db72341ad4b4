extension TrainingOptions {
  /// More steps than any run takes, and few enough that counting them cannot overflow.
  static let mostSteps = 1 << 60
  private static let most = 1 << 30

  /// Which of the numbers no run can have; nil if there is none. What a file says is checked with it.
  var problem: String? {
    let counts: [(String, Int?, Int)] = [
      ("epochs", epochs, 0), ("batchSize", batchSize, 1), ("warmupSteps", warmupSteps, 0),
      ("patience", patience, 1), ("checkpointEvery", checkpointEvery, 1),
      ("maxSteps", maxSteps, 1), ("validateEvery", validateEvery, 1),
    ]
    for case (let name, let count?, let least) in counts
    where count < least || count > Self.most {
      return "\(name) is \(count), not from \(least) to \(Self.most)"
    }
    // Each with the least it may be, and what it must stay below.
    let numbers: [(String, Double?, Double, Double)] = [
      ("learningRate", learningRate, 0, .infinity), ("momentum", momentum, 0, 1),
      ("weightDecay", weightDecay, 0, .infinity), ("clipNorm", clipNorm, 0, .infinity),
      ("clipValue", clipValue, 0, .infinity), ("averaging", averaging, 0, 1),
      ("squareDecay", squareDecay, 0, 1), ("gradientScale", gradientScale, 0, .infinity),
      ("minimumDelta", minimumDelta, 0, .infinity), ("timeLimit", timeLimit, 0, .infinity),
    ]
    for case (let name, let number?, let least, let end) in numbers
    where !(number >= least && number < end) {
      return "\(name) is \(number)"
    }
    return nil
  }
}
