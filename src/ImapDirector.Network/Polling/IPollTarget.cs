namespace ImapDirector.Network.Polling;

/// <summary>Something that has a descriptor on a <see cref="PollLoop"/>. It is called on the loop's thread alone and must not wait for anything.</summary>
public interface IPollTarget
{
    /// <summary>The descriptor.</summary>
    int Descriptor { get; }

    /// <summary>The descriptor is ready.</summary>
    void OnReady(PollEvents events);

    /// <summary>The loop ends, or this target has thrown: it is not watched any more.</summary>
    void OnGivenUp();
}
