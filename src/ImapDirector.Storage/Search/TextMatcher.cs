namespace ImapDirector.Storage.Search;

/// <summary>Looks for something in text that comes in pieces.</summary>
internal abstract class TextMatcher
{
    /// <summary>Begins anew: what came before does not belong to what comes now.</summary>
    public abstract void Reset();

    /// <summary>Takes the next piece.</summary>
    /// <returns>Whether no more has to be looked at: all of it has been found, in this piece or across its beginning.</returns>
    public abstract bool Feed(ReadOnlySpan<char> text);

    /// <summary>Looks at a text that is here whole.</summary>
    public bool IsIn(ReadOnlySpan<char> text)
    {
        Reset();
        return Feed(text);
    }
}
