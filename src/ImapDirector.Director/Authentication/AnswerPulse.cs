namespace ImapDirector.Director.Authentication;

/// <summary>Tells a database that is busy from one that is away: who gets no answer while others get theirs has met a busy one.</summary>
/// <param name="clock">For the age of the last answer.</param>
/// <param name="patience">How long one question is waited for.</param>
internal sealed class AnswerPulse(TimeProvider clock, TimeSpan patience)
{
    private long _last = -1;

    /// <summary>It has answered something.</summary>
    public void Beat() => Volatile.Write(ref _last, clock.GetTimestamp());

    /// <summary>What somebody is told who has got no answer.</summary>
    public DatabaseAnswer NoAnswer() => Volatile.Read(ref _last) is >= 0 and var last && clock.GetElapsedTime(last) < patience ? DatabaseAnswer.Busy : DatabaseAnswer.Failure;
}
